import pg from 'pg'

/**
 * What is written to, and the audit that the checker holds everything against.
 *
 * The audit is the test's own: slow, simple, and sharing nothing with Belfry's capture. A trigger
 * writes each row change into `test.audit` in the writer's own transaction, so what is there is
 * what was committed; its sequence is drawn while the row is locked, so for one row it is the
 * order of commits. Images are maps of column to text, so that no digit is lost on the way.
 */
export const TABLES: readonly Table[] = [
  { name: 'orders', relation: 'public.orders', key: ['id'] },
  { name: 'yard.parcels', relation: 'yard.parcels', key: ['depot', 'number'] },
  { name: 'ticks', relation: 'public.ticks', key: ['id'] },
  { name: 'bells', relation: 'public.bells', key: ['id'] },
  { name: 'piles', relation: 'public.piles', key: ['id'] },
  { name: 'rules', relation: 'public.rules', key: ['id'] },
  { name: 'users', relation: 'public.users', key: ['id'] },
  { name: 'notifications', relation: 'public.notifications', key: ['id'] },
]

/** By the migrations. */
const WATCHED = ['orders', 'users', 'notifications']

/** `name` is the table's name in the feed. */
export type Table = { name: string; relation: string; key: readonly string[] }

/** Larger images are not kept; Belfry must say `oversize` above 1.9 MB, and no test writes between. */
export const AUDITED_BYTES = 1_500_000

/** Writers are ordinary: they own nothing and have no right on Belfry's schema. */
export const WRITER = { user: 'writer', password: 'writer' }

export async function makeTables(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(MAKE)
    for (const { name, relation, key } of TABLES) {
      if (!WATCHED.includes(name))
        await client.query('SELECT belfry.watch($1::regclass)', [relation])
      const args = [name, ...key].map((each) => `'${each}'`).join(', ')
      await client.query(`
        CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON ${relation}
          FOR EACH ROW EXECUTE FUNCTION test.note(${args});
        CREATE TRIGGER audit_truncate AFTER TRUNCATE ON ${relation}
          FOR EACH STATEMENT EXECUTE FUNCTION test.note(${args});
        GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${relation} TO writer`)
    }
    await client.query(`INSERT INTO rules (${OF_RULES}) SELECT ${OF_RULES} FROM test.rules`)
  } finally {
    await client.end()
  }
}

const OF_RULES = 'name, channel, "table", ops, "when", template, notification, category, recipients'

const MAKE = `
CREATE ROLE writer LOGIN PASSWORD '${WRITER.password}';
CREATE SCHEMA yard;
GRANT USAGE ON SCHEMA yard TO writer;
CREATE TABLE yard.parcels (
  depot text, number bigint, weight numeric(30, 10) NOT NULL DEFAULT 0, tags jsonb, note text,
  version int NOT NULL DEFAULT 1, seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (depot, number)
);
CREATE TABLE ticks (id bigint PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE bells (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text NOT NULL);
CREATE TABLE piles (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);

CREATE SCHEMA test;
-- The rule of the first migration is written once more when it is audited, so that the log has it.
SELECT belfry.unwatch('rules');
CREATE TABLE test.rules AS SELECT * FROM rules;
DELETE FROM rules;
CREATE TABLE test.audit (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  "table" text NOT NULL, op text NOT NULL, key jsonb, old jsonb, new jsonb, oversize boolean NOT NULL
);
CREATE FUNCTION test.texts(image jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
  'SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(image)';
CREATE FUNCTION test.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET timezone = 'UTC' SET search_path = pg_catalog, test AS $$
DECLARE
  old_image jsonb;
  new_image jsonb;
  too_large boolean;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO test.audit ("table", op, oversize) VALUES (TG_ARGV[0], 'truncate', false);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD::text = NEW::text THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN old_image := test.texts(to_jsonb(OLD)); END IF;
  IF TG_OP <> 'DELETE' THEN new_image := test.texts(to_jsonb(NEW)); END IF;
  too_large := coalesce(octet_length(old_image::text), 0) + coalesce(octet_length(new_image::text), 0) > ${AUDITED_BYTES};
  INSERT INTO test.audit ("table", op, key, old, new, oversize)
  VALUES (TG_ARGV[0], lower(TG_OP),
          (SELECT jsonb_object_agg(k, coalesce(new_image, old_image) -> k) FROM unnest(TG_ARGV[1:]) k),
          CASE WHEN NOT too_large THEN old_image END, CASE WHEN NOT too_large THEN new_image END, too_large);
  RETURN NULL;
END $$;
`
