-- Why: who may do what, and who did what. API keys and what was revoked are rows, so that a machine
-- is let in and cut off by whoever runs the database; what is changed over the API is written down
-- in the transaction that changes it; and a create that is sent twice is done once.
--
-- The law:
--   Of a key there is only its hash here: whoever reads this table can open nothing.
--   What was revoked is a row of the watched table `revocations`, however it came to be: a key that
--   is revoked and a user who is deleted put theirs there by trigger. It only ever moves forward.
--   Every write over the API begins its transaction with belfry.act: it says who acts, for the
--   triggers of the audit, and claims the request's idempotency key. The claim and what was written
--   commit together or not at all.
--   A transaction without it is nobody's of the API, and is not audited. What anyone says by
--   belfry.act is kept beside the role that said it.
--
-- Written by: the API. Read by: the API, the worker's keyring.
CREATE TABLE "revocations" (
	"principal" text PRIMARY KEY NOT NULL,
	"since" timestamptz DEFAULT clock_timestamp() NOT NULL,
	"reason" text,
	CONSTRAINT "revocations_principal_is_one" CHECK ("revocations"."principal" ~ '^(key|user|token):.' and length("revocations"."principal") <= 300),
	CONSTRAINT "revocations_reason_short" CHECK (length("revocations"."reason") <= 200)
);
--> statement-breakpoint
ALTER TABLE "notification_categories" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "subject" text;
--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_subject_unique" UNIQUE("subject");
--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_subject_is_one" CHECK (length("users"."subject") between 1 and 255);
--> statement-breakpoint
CREATE FUNCTION belfry.settle_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + (NEW *<> OLD)::integer;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER notification_categories_settle BEFORE UPDATE ON notification_categories
  FOR EACH ROW EXECUTE FUNCTION belfry.settle_version();
--> statement-breakpoint
-- Machines that may come in. The key itself is shown once, by the API, when it is made.
CREATE TABLE belfry.api_keys (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text        NOT NULL CHECK (btrim(name) <> '' AND length(name) <= 100),
  hash         bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  -- Its first characters, by which a person knows it again.
  hint         text        NOT NULL CHECK (length(hint) <= 20),
  scopes       text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
  created_by   text        NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz CHECK (isfinite(expires_at)),
  revoked_at   timestamptz CHECK (isfinite(revoked_at)),
  last_used_at timestamptz
);
--> statement-breakpoint
CREATE FUNCTION belfry.revoke(of_principal text, because text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO public.revocations AS r (principal, since, reason)
  VALUES (of_principal, clock_timestamp(), because)
  ON CONFLICT (principal) DO UPDATE
     SET since = greatest(r.since, excluded.since), reason = excluded.reason
$$;
--> statement-breakpoint
CREATE FUNCTION belfry.key_revoked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM belfry.revoke('key:' || OLD.id, 'the key was revoked');
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER api_keys_revoked AFTER UPDATE OF revoked_at ON belfry.api_keys
  FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
  EXECUTE FUNCTION belfry.key_revoked();
--> statement-breakpoint
CREATE TRIGGER api_keys_deleted AFTER DELETE ON belfry.api_keys
  FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION belfry.key_revoked();
--> statement-breakpoint
CREATE FUNCTION belfry.user_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM belfry.revoke('user:' || OLD.id, 'the user was deleted');
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER users_deleted AFTER DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION belfry.user_deleted();
--> statement-breakpoint
-- All that the worker must know of keys and revocations: {"keys": [{id, hash (hex), scopes,
-- expires_ms}], "revoked": {principal: ms since 1970}}. Keys that are revoked are left out.
CREATE FUNCTION belfry.keyring() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT json_build_object(
    'keys', (SELECT coalesce(json_agg(json_build_object(
                       'id', k.id, 'hash', encode(k.hash, 'hex'), 'scopes', k.scopes,
                       'expires_ms', trunc(extract(epoch FROM k.expires_at) * 1000)) ORDER BY k.id), '[]')
               FROM belfry.api_keys k WHERE k.revoked_at IS NULL),
    'revoked', (SELECT coalesce(json_object_agg(r.principal, trunc(extract(epoch FROM r.since) * 1000)), '{}')
                  FROM public.revocations r))
$$;
--> statement-breakpoint
-- One row for each row that was changed over the API, or for each act that changes more than rows
-- (a bulk load, a mail tried again). Ids grow with time.
CREATE TABLE belfry.audit (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The id that the answer and the log of the worker have, too.
  request   text        NOT NULL,
  principal text        NOT NULL,
  -- Of the database: whoever said who acts.
  role      text        NOT NULL DEFAULT session_user,
  -- insert, update, delete; or what was asked for.
  action    text        NOT NULL,
  "table"   text        NOT NULL,
  key       text        NOT NULL,
  version   integer,
  -- {column: [before, after]}, of the columns that changed.
  changed   jsonb       NOT NULL DEFAULT '{}'
);
--> statement-breakpoint
CREATE INDEX audit_row_index ON belfry.audit ("table", key, id);
--> statement-breakpoint
CREATE INDEX audit_principal_index ON belfry.audit (principal, id);
--> statement-breakpoint
CREATE INDEX audit_request_index ON belfry.audit (request);
--> statement-breakpoint
-- What was told of a row: an origin ends with its table, its key and its version (worker/notices/owed.ts).
CREATE INDEX notifications_about_index ON notifications (split_part(origin, '/', 4), split_part(origin, '/', 5), id)
  WHERE origin IS NOT NULL;
--> statement-breakpoint
-- What is claimed for a request. `made`: the key of the first row that it inserted.
ALTER TABLE belfry.idempotency_keys ADD COLUMN principal text NOT NULL DEFAULT '';
--> statement-breakpoint
ALTER TABLE belfry.idempotency_keys ADD COLUMN made text;
--> statement-breakpoint
ALTER TABLE belfry.idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;
--> statement-breakpoint
ALTER TABLE belfry.idempotency_keys ADD PRIMARY KEY (principal, key);
--> statement-breakpoint
-- Begins a write over the API, in its transaction: who acts, in which request, and under which
-- idempotency key, of which hash of method, path and body.
-- Raises BF409 while another request with the key is under way; BF422 if the key came with another
-- hash; BF200 if the same was done before: its DETAIL is {"made": the key of the row that was
-- inserted, "answer": what belfry.notify answered}, its MESSAGE is for people.
CREATE FUNCTION belfry.act(
  acting text, in_request text, request_key text DEFAULT NULL, request_hash text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known belfry.idempotency_keys;
BEGIN
  PERFORM set_config('belfry.principal', acting, true),
          set_config('belfry.request', in_request, true),
          set_config('belfry.idempotency_key', coalesce(request_key, ''), true);
  IF request_key IS NULL THEN
    RETURN;
  END IF;
  IF NOT pg_try_advisory_xact_lock(hashtextextended('belfry key ' || acting || ' ' || request_key, 0)) THEN
    RAISE EXCEPTION 'a request with this idempotency key is under way' USING ERRCODE = 'BF409';
  END IF;
  DELETE FROM belfry.idempotency_keys k
   WHERE k.principal = acting AND k.key = request_key AND k.created_at < now() - interval '24 hours';
  DELETE FROM belfry.idempotency_keys k
   WHERE (k.principal, k.key) IN (
     SELECT o.principal, o.key FROM belfry.idempotency_keys o
      WHERE o.created_at < now() - interval '24 hours' LIMIT 1000 FOR UPDATE SKIP LOCKED);
  INSERT INTO belfry.idempotency_keys (principal, key, body_hash)
  VALUES (acting, request_key, request_hash) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO known FROM belfry.idempotency_keys k WHERE k.principal = acting AND k.key = request_key;
  IF known.body_hash <> request_hash THEN
    RAISE EXCEPTION 'the idempotency key came with another request' USING ERRCODE = 'BF422';
  END IF;
  RAISE EXCEPTION 'the request was done before' USING ERRCODE = 'BF200',
    DETAIL = json_build_object('made', known.made, 'answer', known.answer);
END
$$;
--> statement-breakpoint
-- An act that changes more than a row, or what is not in Postgres.
CREATE FUNCTION belfry.note_act(of_action text, on_table text, on_key text, of_changed jsonb DEFAULT '{}')
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO belfry.audit (request, principal, action, "table", key, changed)
  VALUES (current_setting('belfry.request'), current_setting('belfry.principal'),
          of_action, on_table, on_key, of_changed)
$$;
--> statement-breakpoint
-- A write of many rows, of which the audit has one row for the whole request: it holds what every
-- transaction of the request has counted so far. From here on the rows themselves are not noted.
-- What was counted is also what the same request is answered with when it comes again.
-- @param counts {what: how many}
CREATE FUNCTION belfry.note_bulk(of_action text, on_table text, on_key text, counts jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  acting text := current_setting('belfry.principal');
  total  jsonb;
BEGIN
  PERFORM set_config('belfry.in_bulk', 'on', true);
  UPDATE belfry.audit a
     SET changed = a.changed || (
           SELECT coalesce(jsonb_object_agg(n.name, coalesce((a.changed ->> n.name)::bigint, 0) + n.count::bigint), '{}')
             FROM jsonb_each_text(counts) AS n(name, count))
   WHERE a.request = current_setting('belfry.request') AND a.principal = acting
     AND a.action = of_action AND a."table" = on_table AND a.key = on_key
  RETURNING a.changed INTO total;
  IF NOT FOUND THEN
    total := counts;
    PERFORM belfry.note_act(of_action, on_table, on_key, counts);
  END IF;
  UPDATE belfry.idempotency_keys k SET answer = total
   WHERE k.principal = acting AND k.key = current_setting('belfry.idempotency_key');
END
$$;
--> statement-breakpoint
-- Ends the transaction unless what is there now is one of what was wanted; BF412, whose DETAIL is
-- what is there. Of what is not there it says nothing.
CREATE FUNCTION belfry.expect(current_tag text, wanted json) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_tag IS NOT NULL AND current_tag NOT IN (SELECT json_array_elements_text(wanted)) THEN
    RAISE EXCEPTION 'it has changed since it was read' USING ERRCODE = 'BF412', DETAIL = current_tag;
  END IF;
END
$$;
--> statement-breakpoint
-- A row that somebody changes over the API. Arguments: the table's name, the column of its key, then
-- columns whose values are not kept.
CREATE FUNCTION belfry.audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
  after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
  row_key text := CASE WHEN TG_OP = 'DELETE' THEN before ELSE after END ->> TG_ARGV[1];
BEGIN
  IF before = after THEN
    RETURN NULL;
  END IF;
  INSERT INTO belfry.audit (request, principal, action, "table", key, version, changed)
  SELECT current_setting('belfry.request'), current_setting('belfry.principal'), lower(TG_OP),
         TG_ARGV[0], row_key, coalesce(after ->> 'version', before ->> 'version')::integer,
         coalesce(jsonb_object_agg(c.name, CASE WHEN c.name = ANY (TG_ARGV[2:]) THEN '[]'::jsonb
                                     ELSE jsonb_build_array(before -> c.name, after -> c.name) END)
                  FILTER (WHERE before -> c.name IS DISTINCT FROM after -> c.name), '{}')
    FROM jsonb_object_keys(before || after) AS c(name);
  IF TG_OP = 'INSERT' AND current_setting('belfry.idempotency_key') <> '' THEN
    UPDATE belfry.idempotency_keys k SET made = row_key
     WHERE k.principal = current_setting('belfry.principal')
       AND k.key = current_setting('belfry.idempotency_key') AND k.made IS NULL;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- A writer who does not come over the API pays for the condition alone; so does one who writes many
-- rows and has noted that in one row. What triggers do to notifications is not noted: it follows
-- from what is.
DO $$
DECLARE
  audited record;
BEGIN
  FOR audited IN
    SELECT * FROM (VALUES
      ('public.orders', 'orders', ARRAY['id'], 'true'),
      ('public.rules', 'rules', ARRAY['id'], 'true'),
      ('public.webhook_endpoints', 'webhook_endpoints', ARRAY['id'], 'true'),
      ('public.users', 'users', ARRAY['id'], 'true'),
      ('public.notifications', 'notifications', ARRAY['id', 'content'], 'pg_trigger_depth() = 0'),
      ('public.notification_categories', 'notification_categories', ARRAY['name'], 'true'),
      ('public.revocations', 'revocations', ARRAY['principal'], 'true'),
      ('belfry.api_keys', 'api_keys', ARRAY['id', 'hash'], 'true')
    ) AS a(relation, name, arguments, condition)
  LOOP
    EXECUTE format('CREATE TRIGGER belfry_audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW
                    WHEN (current_setting(''belfry.principal'', true) <> ''''
                          AND current_setting(''belfry.in_bulk'', true) IS DISTINCT FROM ''on'' AND %s)
                    EXECUTE FUNCTION belfry.audit_row(%L, %s)',
                   audited.relation, audited.condition, audited.name,
                   (SELECT string_agg(quote_literal(a), ', ') FROM unnest(audited.arguments) AS a));
  END LOOP;
END
$$;
--> statement-breakpoint
-- The key is claimed by belfry.act now; what is answered is kept for the next who brings it.
DROP FUNCTION belfry.notify(bigint[], json, text, text);
--> statement-breakpoint
-- One notification to each of some users, or (null) to everyone who receives any; all or none.
-- @param told {category, title, content, link, scheduled_at, expires_at}; what is left out is default
-- @returns {outcome: created, notifications, delivered, scheduled, declined, ids: the first 1,000}
--       or {outcome: unknown_users, users: the first 100}, for which no key stays claimed
CREATE FUNCTION belfry.notify(recipients bigint[], told json) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  acting      text := coalesce(current_setting('belfry.principal', true), '');
  request_key text := coalesce(current_setting('belfry.idempotency_key', true), '');
  missing     json;
  reply       json;
BEGIN
  IF recipients IS NOT NULL THEN
    SELECT json_agg(m.id) INTO missing
      FROM (SELECT DISTINCT r.id FROM unnest(recipients) AS r(id)
             WHERE NOT EXISTS (SELECT FROM public.users u WHERE u.id = r.id)
             ORDER BY r.id LIMIT 100) AS m;
    IF missing IS NOT NULL THEN
      DELETE FROM belfry.idempotency_keys k WHERE k.principal = acting AND k.key = request_key;
      RETURN json_build_object('outcome', 'unknown_users', 'users', missing);
    END IF;
  END IF;
  -- Told in one row of the audit, and not in one for each.
  PERFORM set_config('belfry.principal', '', true);
  WITH created AS (
    INSERT INTO public.notifications (user_id, category, title, content, link, scheduled_at, expires_at)
    SELECT u.id, coalesce(told->>'category', 'general'), told->>'title', coalesce(told->'content', '{}'),
           told->>'link', (told->>'scheduled_at')::timestamptz, (told->>'expires_at')::timestamptz
      FROM public.users u
     WHERE CASE WHEN recipients IS NULL THEN u.can_receive_notifications ELSE u.id = ANY (recipients) END
     ORDER BY u.id
    RETURNING id, state
  )
  SELECT json_build_object(
           'outcome', 'created', 'notifications', count(*),
           'delivered', count(*) FILTER (WHERE c.state = 'delivered'),
           'scheduled', count(*) FILTER (WHERE c.state = 'scheduled'),
           'declined', count(*) FILTER (WHERE c.state = 'declined'),
           'ids', (SELECT coalesce(json_agg(f.id), '[]') FROM (SELECT id FROM created ORDER BY id LIMIT 1000) AS f))
    INTO reply FROM created c;
  PERFORM set_config('belfry.principal', acting, true);
  IF acting <> '' THEN
    PERFORM belfry.note_act('notify', 'notifications', coalesce(reply->'ids'->>0, ''),
      jsonb_build_object('title', told->>'title', 'notifications', reply->'notifications'));
    UPDATE belfry.idempotency_keys k SET answer = reply WHERE k.principal = acting AND k.key = request_key;
  END IF;
  RETURN reply;
END
$$;
--> statement-breakpoint
SELECT belfry.watch('revocations');
