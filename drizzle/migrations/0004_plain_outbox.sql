-- Why: reading the outbox. belfry.peek put each change together as JSON, 14 µs of the core that the
-- writers need; now it gives the columns as they are, and whoever reads puts them together.
--
-- It is a single SELECT without settings of its own, so that Postgres takes it into the statement
-- that calls it, and a prepared one keeps its plan.
DROP FUNCTION belfry.peek(integer, integer, integer);
--> statement-breakpoint
-- The head of the outbox without the rows `taken`: at most `max_changes`, and no more than
-- `max_bytes` of images unless the first alone is larger. A row with larger images than
-- `max_change_bytes` comes without them, marked oversize; only its key is read.
--
-- `taken` are rows that are under way already, named one by one: to read on behind the highest of
-- them would pass over a transaction that commits late, and then tell its row's later change first.
CREATE FUNCTION belfry.peek(max_changes integer, max_bytes integer, max_change_bytes integer, taken bigint[])
RETURNS TABLE (
  id bigint, change uuid, "table" text, op text, key_columns text[], key text,
  new text, old text, at text, age_ms double precision, oversize boolean, followed boolean
)
LANGUAGE sql STABLE
AS $$
  SELECT s.id, s.change, s."table", s.op, s.key_columns,
         CASE WHEN s.oversize THEN belfry.key_of(coalesce(s.new, s.old), s.key_columns)::text END,
         CASE WHEN NOT s.oversize THEN s.new END,
         CASE WHEN NOT s.oversize THEN s.old END,
         to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
         extract(epoch FROM clock_timestamp() - s.at)::double precision * 1000,
         s.oversize,
         s.followed
    FROM (
      SELECT h.*,
             row_number() OVER up_to_here AS place,
             sum(CASE WHEN h.oversize THEN 0 ELSE h.bytes END) OVER up_to_here AS running,
             lead(h.id) OVER up_to_here IS NOT NULL AS followed
        FROM (
          SELECT o.*, b.bytes, b.bytes > max_change_bytes AS oversize
            FROM belfry.outbox o
           CROSS JOIN LATERAL (
             SELECT coalesce(octet_length(o.new), 0) + coalesce(octet_length(o.old), 0)) AS b(bytes)
           WHERE o.id NOT IN (SELECT unnest(taken))
           ORDER BY o.id
           LIMIT max_changes + 1
        ) h
      WINDOW up_to_here AS (ORDER BY h.id ROWS UNBOUNDED PRECEDING)
    ) s
   WHERE s.place <= max_changes AND (s.place = 1 OR s.running <= max_bytes)
   ORDER BY s.id
$$;
--> statement-breakpoint
-- A change's UUID begins with the time, as version 7 has it: the feed remembers every one of them,
-- and those of one batch come to stand beside each other there instead of a page for each.
-- Before PostgreSQL 18 it is put together here, which costs a writer a microsecond.
DO $$
BEGIN
  IF to_regprocedure('pg_catalog.uuidv7()') IS NOT NULL THEN
    ALTER TABLE belfry.outbox ALTER COLUMN change SET DEFAULT uuidv7();
  ELSE
    ALTER TABLE belfry.outbox ALTER COLUMN change SET DEFAULT encode(
      set_byte(
        overlay(uuid_send(gen_random_uuid())
          PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
          FROM 1 FOR 6),
        6, 112),
      'hex')::uuid;
  END IF;
END
$$;
