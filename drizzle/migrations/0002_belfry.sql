-- Why: capture. Every committed row-level change of a watched table becomes one outbox row in
-- the same transaction, and the listener is woken only if it has said that it sleeps.
--
-- The law:
--   The outbox is the truth; the bell is a wake-up and carries none.
--   A row leaves the outbox only after the feed has acknowledged it. There is no cursor: a
--   transaction that commits late simply appears late (a sequence's order is not commit order).
--   A writer first inserts into the outbox, then reads the bell. The listener first sets the
--   bell to "asleep", then waits until every transaction that could have read "awake" has ended.
--   So either the writer rings, or the listener finds the row before it sleeps.
--
-- Written by: writers of watched tables, through triggers (SECURITY DEFINER: a writer needs no
-- right on this schema). Read and deleted by: the listener that leads.
CREATE SCHEMA belfry;
--> statement-breakpoint
-- Which database this is. A feed belongs to one source, so that no feed mixes two databases.
CREATE TABLE belfry.identity (
  source uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (only_one)
);
--> statement-breakpoint
INSERT INTO belfry.identity DEFAULT VALUES;
--> statement-breakpoint
-- Changes owed to the feed. `old` and `new` hold JSON as text and not as json, because
-- octet_length(text) knows the size of a large value without reading it.
CREATE TABLE belfry.outbox (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  change      uuid        NOT NULL DEFAULT gen_random_uuid(),
  "table"     text        NOT NULL,
  key_columns text[]      NOT NULL,
  op          text        NOT NULL CHECK (op IN ('insert', 'update', 'delete', 'truncate')),
  old         text,
  new         text,
  at          timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
  -- Rows live for milliseconds, so the table is mostly dead rows: clear them early.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
--> statement-breakpoint
-- 1 is awake, 2 is asleep. A sequence, because its value is read and set outside MVCC: a writer
-- sees it at once, whatever its snapshot, and a rollback does not undo it.
CREATE SEQUENCE belfry.bell MINVALUE 1 MAXVALUE 2 START 1;
--> statement-breakpoint
-- One row for each leadership. The highest term leads; the feed refuses lower ones. `seen_at` is
-- the leader's lease: when it is old, a standby ends the backend of a leader that has frozen.
CREATE TABLE belfry.terms (
  term        bigint      PRIMARY KEY,
  listener    text        NOT NULL,
  backend_pid integer     NOT NULL,
  taken_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE TABLE belfry.watched (
  relation    regclass    PRIMARY KEY,
  "table"     text        NOT NULL UNIQUE,
  key_columns text[]      NOT NULL,
  since       timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
-- One row of a watched table into the outbox. Arguments: the table's name in the feed, then the
-- columns of its key.
--
-- Row-level, not statement-level with transition tables: those fire after the table's own AFTER
-- ROW triggers, so an update made inside one of these would enter the outbox before the update
-- that caused it, and the row's changes would stand in the wrong order. Measured on 100,000 rows
-- in one statement (insert / update): unwatched 0.3 / 0.4 s, transition tables 1.0 / 1.5 s, this
-- 1.6 / 2.1 s; single-row statements cost the same either way.
CREATE FUNCTION belfry.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A row reads the same whatever its writer has set. It costs a tenth.
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $$
BEGIN
  CASE TG_OP
    WHEN 'INSERT' THEN
      INSERT INTO belfry.outbox ("table", key_columns, op, new)
      VALUES (TG_ARGV[0], TG_ARGV[1:], 'insert', to_json(NEW)::text);
    WHEN 'UPDATE' THEN
      -- *<> compares the rows' bytes: it needs no equality operator and sees 1.0 become 1.00.
      IF OLD *<> NEW THEN
        INSERT INTO belfry.outbox ("table", key_columns, op, old, new)
        VALUES (TG_ARGV[0], TG_ARGV[1:], 'update', to_json(OLD)::text, to_json(NEW)::text);
      END IF;
    WHEN 'DELETE' THEN
      INSERT INTO belfry.outbox ("table", key_columns, op, old)
      VALUES (TG_ARGV[0], TG_ARGV[1:], 'delete', to_json(OLD)::text);
    ELSE
      INSERT INTO belfry.outbox ("table", key_columns, op)
      VALUES (TG_ARGV[0], TG_ARGV[1:], 'truncate');
  END CASE;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Once a statement, after its rows are in the outbox. NOTIFY takes one lock for the whole cluster
-- at commit (about 900 commits/s with 64 writers), so it is kept for a listener that sleeps.
CREATE FUNCTION belfry.ring() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (SELECT last_value FROM belfry.bell) = 2 THEN
    NOTIFY belfry;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Puts the triggers on a table; again, after its name or key has changed, to renew them.
-- "!" sorts before and "~" after the names of other triggers, which is the order they fire in:
-- a row is captured before the table's own triggers can change it again.
-- @returns the table's name in the feed: `orders`, or `shop.orders` outside the schema public
CREATE FUNCTION belfry.watch(relation regclass) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  schema_name  text;
  table_name   text;
  table_kind   "char";
  permanence   "char";
  feed_name    text;
  key_names    text[];
  arguments    text;
  namesake     regclass;
BEGIN
  SELECT n.nspname, c.relname, c.relkind, c.relpersistence
    INTO schema_name, table_name, table_kind, permanence
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = relation;
  IF table_kind NOT IN ('r', 'p') OR permanence = 't' OR schema_name IN ('belfry', 'pg_catalog') THEN
    RAISE EXCEPTION 'belfry.watch: % cannot be watched', relation
      USING ERRCODE = 'wrong_object_type',
            HINT = CASE WHEN schema_name = 'belfry'
              THEN 'This schema is Belfry''s own. A role named belfry creates its tables here: set its search_path to public.'
              ELSE 'Watch an ordinary or partitioned table that is not temporary.' END;
  END IF;

  SELECT array_agg(a.attname::text ORDER BY k.place) INTO key_names
    FROM pg_catalog.pg_index i
   CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
   WHERE i.indrelid = relation AND i.indisprimary AND k.place <= i.indnkeyatts;
  IF key_names IS NULL THEN
    RAISE EXCEPTION 'belfry.watch: % has no primary key', relation
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('A change must name its row. Add one first: ALTER TABLE %s ADD PRIMARY KEY (...);', relation);
  END IF;

  IF EXISTS (SELECT FROM pg_catalog.pg_trigger t
              WHERE t.tgrelid = relation AND t.tgname = '!belfry_capture' AND t.tgparentid <> 0) THEN
    RAISE EXCEPTION 'belfry.watch: % is a partition of a watched table', relation
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Its rows are heard already, as changes of that table.';
  END IF;

  feed_name := CASE WHEN schema_name = 'public' THEN table_name ELSE schema_name || '.' || table_name END;
  DELETE FROM belfry.watched w
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = w.relation);
  SELECT w.relation INTO namesake
    FROM belfry.watched w WHERE w."table" = feed_name AND w.relation <> watch.relation;
  IF namesake IS NOT NULL THEN
    RAISE EXCEPTION 'belfry.watch: "%" is the name of % in the feed already', feed_name, namesake
      USING ERRCODE = 'duplicate_object',
            HINT = format('If that table was renamed, renew its name first: SELECT belfry.watch(%L);', namesake);
  END IF;
  -- A partition that was watched by itself is heard as its parent from now on.
  PERFORM belfry.unwatch(w.relation)
     FROM belfry.watched w JOIN pg_catalog.pg_partition_tree(watch.relation) p ON p.relid = w.relation
    WHERE w.relation <> watch.relation;

  SELECT string_agg(quote_literal(argument), ', ') INTO arguments
    FROM unnest(feed_name || key_names) AS argument;

  EXECUTE format('CREATE OR REPLACE TRIGGER "!belfry_capture" AFTER INSERT OR UPDATE OR DELETE ON %s
                  FOR EACH ROW EXECUTE FUNCTION belfry.capture(%s)', relation, arguments);
  EXECUTE format('CREATE OR REPLACE TRIGGER "!belfry_capture_truncate" AFTER TRUNCATE ON %s
                  FOR EACH STATEMENT EXECUTE FUNCTION belfry.capture(%s)', relation, arguments);
  EXECUTE format('CREATE OR REPLACE TRIGGER "~belfry_ring" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
                  FOR EACH STATEMENT EXECUTE FUNCTION belfry.ring()', relation);
  -- A statement fires the statement triggers of no table but the one it names: what it writes
  -- through a parent, or into a partition, must ring by the row.
  IF table_kind = 'p' OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = relation) THEN
    EXECUTE format('CREATE OR REPLACE TRIGGER "~belfry_ring_row" AFTER INSERT OR UPDATE OR DELETE ON %s
                    FOR EACH ROW EXECUTE FUNCTION belfry.ring()', relation);
  END IF;

  DELETE FROM belfry.watched w WHERE w.relation = watch.relation;
  INSERT INTO belfry.watched (relation, "table", key_columns)
  VALUES (watch.relation, feed_name, key_names);
  RETURN feed_name;
END
$$;
--> statement-breakpoint
-- Takes the triggers off. What is in the outbox already is still delivered.
-- @returns false if the table was not watched
CREATE FUNCTION belfry.unwatch(relation regclass) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TRIGGER IF EXISTS "!belfry_capture" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "!belfry_capture_truncate" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "~belfry_ring" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "~belfry_ring_row" ON %s', relation);
  DELETE FROM belfry.watched w WHERE w.relation = unwatch.relation;
  RETURN FOUND;
END
$$;
--> statement-breakpoint
-- The columns of a row's key out of the row's JSON, also where Postgres cannot read that again: no
-- row may hold up the others. A `json` column can hold the escape \u0000, or half of a surrogate
-- pair; a key cannot, so here blanks stand in for them. A row that is nested to the limit of
-- max_stack_depth leaves its key unsaid.
CREATE FUNCTION belfry.key_of(image text, key_columns text[]) RETURNS json
LANGUAGE plpgsql STABLE AS $$
BEGIN
  image := regexp_replace(image, '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f]..)', '\1\\u0020', 'gi');
  RETURN (SELECT json_object_agg(k.name, image::json -> k.name ORDER BY k.place)
            FROM unnest(key_columns) WITH ORDINALITY AS k(name, place));
EXCEPTION WHEN statement_too_complex THEN
  RETURN 'null';
END
$$;
--> statement-breakpoint
-- The head of the outbox, as changes in the protocol's JSON: at most `max_changes`, and no more
-- than `max_bytes` of JSON unless the first alone is larger. A change with larger images than
-- `max_change_bytes` comes without them, marked oversize; only its key is read.
-- `age_ms` is how long ago the row was written, by this server's clock.
CREATE FUNCTION belfry.peek(max_changes integer, max_bytes integer, max_change_bytes integer)
RETURNS TABLE (id bigint, change text, age_ms double precision)
LANGUAGE sql STABLE
SET timezone = 'UTC'
AS $$
  WITH head AS MATERIALIZED (
    SELECT o.*, coalesce(octet_length(o.old), 0) + coalesce(octet_length(o.new), 0) AS bytes
      FROM belfry.outbox o
     ORDER BY o.id
     LIMIT max_changes
  ), sized AS (
    SELECT h.*,
           h.bytes > max_change_bytes AS oversize,
           row_number() OVER up_to_here = 1 AS first,
           sum(CASE WHEN h.bytes > max_change_bytes THEN 0 ELSE h.bytes END) OVER up_to_here AS running
      FROM head h
    WINDOW up_to_here AS (ORDER BY h.id)
  ), told AS (
    -- By the images alone, so that no more is read than has a chance to fit.
    SELECT s.id, s.first, s.at,
           concat(
             '{"id":"', s.change, '","table":', to_json(s."table"), ',"op":"', s.op, '","key":',
             CASE
               WHEN s.op = 'truncate' THEN 'null'
               -- Short, so not nested deep, and without escapes: read at once, in a third of the time.
               WHEN octet_length(coalesce(s.new, s.old)) < 8000 AND strpos(coalesce(s.new, s.old), '\u') = 0 THEN
                 (SELECT json_object_agg(k.name, coalesce(s.new, s.old)::json -> k.name ORDER BY k.place)
                    FROM unnest(s.key_columns) WITH ORDINALITY AS k(name, place))
               ELSE belfry.key_of(coalesce(s.new, s.old), s.key_columns)
             END,
             ',"new":', CASE WHEN s.oversize THEN 'null' ELSE coalesce(s.new, 'null') END,
             ',"old":', CASE WHEN s.oversize THEN 'null' ELSE coalesce(s.old, 'null') END,
             ',"at":', to_json(s.at), CASE WHEN s.oversize THEN ',"oversize":true' END, '}') AS change
      FROM sized s
     WHERE s.first OR s.running <= max_bytes
  )
  SELECT t.id, t.change, extract(epoch FROM clock_timestamp() - t.at)::double precision * 1000
    FROM (SELECT told.*, sum(octet_length(told.change)) OVER (ORDER BY told.id) AS running FROM told) t
   WHERE t.first OR t.running <= max_bytes
   ORDER BY t.id
$$;
