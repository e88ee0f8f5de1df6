-- Why: the worker stands on the internet and the listener beside it, and neither needs to own the
-- database. Each has a role that may do what its SQL says, and nothing else: whoever gets hold of the
-- worker's address reads no table that is not watched, changes no schema and rewrites no audit; whoever
-- gets hold of the listener's sees what is on its way, and nothing of the tables.
--
-- The law:
--   belfry.rights() is the whole of what the two may, beside belfry.watch, which lets the worker read
--   what it watches. belfry.grant_rights() makes it so, again and again: what somebody else has given
--   them on Belfry's own tables is taken back.
--   The roles cannot log in. Who runs the database gives each a login, whose password is then in no
--   migration; while it is rotated there are two:
--     CREATE ROLE belfry_worker_1 LOGIN PASSWORD '…' IN ROLE belfry_worker;
--     CREATE ROLE belfry_listener_1 LOGIN PASSWORD '…' IN ROLE belfry_listener;
--   A second login of the listener must be a member of the first, or it cannot end a leader of the
--   first that has frozen: GRANT belfry_listener_1 TO belfry_listener_2;
--   Roles are the whole cluster's: databases that share one share these two. A user who may not make
--   roles is told what to do, and all else goes on: the owner's own login may do everything.
--   Whoever writes a watched table needs no right in the schema belfry: what triggers do there, they do
--   as its owner.
--
-- Written by: migrations, belfry.watch. Read by: Postgres.
CREATE FUNCTION belfry.rights() RETURNS TABLE (role text, kind text, object text, privileges text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  VALUES
    -- The API.
    ('belfry_worker', 'table', 'public.orders', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.users', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.preferences', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.notifications', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.notification_categories', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.rules', 'SELECT, INSERT, UPDATE, DELETE'),
    ('belfry_worker', 'table', 'public.webhook_endpoints', 'SELECT, INSERT, UPDATE, DELETE'),
    -- It only ever moves forward: belfry.revoke writes it.
    ('belfry_worker', 'table', 'public.revocations', 'SELECT'),
    -- Ids that are given: worker/api/user-store.ts.
    ('belfry_worker', 'table', 'public.users_id_seq', 'SELECT, UPDATE'),
    ('belfry_worker', 'table', 'belfry.watched', 'SELECT'),
    -- Written by triggers and by belfry.note_act, and never again.
    ('belfry_worker', 'table', 'belfry.audit', 'SELECT'),
    -- The hashes of keys that are good come by belfry.keyring.
    ('belfry_worker', 'table', 'belfry.api_keys',
     'SELECT (id, name, hint, scopes, created_by, created_at, expires_at, revoked_at, last_used_at), '
     'INSERT (name, hash, hint, scopes, created_by, expires_at), UPDATE (revoked_at, last_used_at)'),
    -- Without a listener the feed drains the outbox: worker/feed/outbox.ts.
    ('belfry_worker', 'table', 'belfry.identity', 'SELECT'),
    ('belfry_worker', 'table', 'belfry.outbox', 'SELECT, DELETE'),
    ('belfry_worker', 'table', 'belfry.terms', 'SELECT (term, feed), INSERT (term, listener, backend_pid, feed)'),
    ('belfry_worker', 'function', 'peek', 'EXECUTE'),
    ('belfry_worker', 'function', 'key_of', 'EXECUTE'),
    ('belfry_worker', 'function', 'act', 'EXECUTE'),
    ('belfry_worker', 'function', 'note_act', 'EXECUTE'),
    ('belfry_worker', 'function', 'note_bulk', 'EXECUTE'),
    ('belfry_worker', 'function', 'expect', 'EXECUTE'),
    ('belfry_worker', 'function', 'keyring', 'EXECUTE'),
    ('belfry_worker', 'function', 'revoke', 'EXECUTE'),
    ('belfry_worker', 'function', 'notify', 'EXECUTE'),
    ('belfry_worker', 'function', 'inbox_window', 'EXECUTE'),
    ('belfry_worker', 'function', 'inbox_page', 'EXECUTE'),
    ('belfry_worker', 'function', 'count_before', 'EXECUTE'),
    ('belfry_worker', 'function', 'is_marked', 'EXECUTE'),
    ('belfry_worker', 'function', 'next_due_ms', 'EXECUTE'),
    ('belfry_worker', 'function', 'deliver_due', 'EXECUTE'),
    ('belfry_worker', 'function', 'mark_notifications', 'EXECUTE'),
    ('belfry_worker', 'function', 'mark_all', 'EXECUTE'),
    -- listener/database.ts.
    ('belfry_listener', 'table', 'belfry.identity', 'SELECT'),
    ('belfry_listener', 'table', 'belfry.outbox', 'SELECT, DELETE'),
    ('belfry_listener', 'table', 'belfry.terms', 'SELECT, INSERT, UPDATE (seen_at, feed), DELETE'),
    ('belfry_listener', 'table', 'belfry.canary', 'SELECT, INSERT (beat), UPDATE (beat, at)'),
    ('belfry_listener', 'table', 'belfry.bell', 'UPDATE'),
    ('belfry_listener', 'function', 'peek', 'EXECUTE'),
    ('belfry_listener', 'function', 'key_of', 'EXECUTE')
$$;
--> statement-breakpoint
-- Lets the worker read the rows of a watched table. Whoever watches a table may not be its owner, who
-- alone can give that away; its changes are heard all the same.
CREATE FUNCTION belfry.grant_watched(relation regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  schema_name name := (SELECT n.nspname FROM pg_catalog.pg_class c
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
BEGIN
  IF to_regrole('belfry_worker') IS NULL OR schema_name IS NULL THEN
    RETURN;
  END IF;
  BEGIN
    IF NOT has_schema_privilege('belfry_worker', schema_name, 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO belfry_worker', schema_name);
    END IF;
    IF NOT has_table_privilege('belfry_worker', relation, 'SELECT') THEN
      EXECUTE format('GRANT SELECT ON %s TO belfry_worker', relation);
    END IF;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL; -- Told below; of one with some rights on it, Postgres does not say more than a warning.
  END;
  IF NOT (has_schema_privilege('belfry_worker', schema_name, 'USAGE')
          AND has_table_privilege('belfry_worker', relation, 'SELECT')) THEN
    RAISE NOTICE 'belfry: % is watched, but its rows cannot be read through the worker', relation
      USING HINT = format('As its owner: GRANT USAGE ON SCHEMA %I TO belfry_worker; GRANT SELECT ON %s TO belfry_worker;',
                          schema_name, relation);
  END IF;
END
$$;
--> statement-breakpoint
-- What belfry.watch and belfry.unwatch write down is what the worker may read.
CREATE FUNCTION belfry.watched_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- Two who give rights on one schema would be in each other's way.
  PERFORM pg_advisory_xact_lock(hashtextextended('belfry rights', 0));
  IF TG_OP = 'INSERT' THEN
    PERFORM belfry.grant_watched(NEW.relation);
  ELSIF to_regrole('belfry_worker') IS NOT NULL
    AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = OLD.relation)
    AND NOT EXISTS (SELECT FROM belfry.rights() r WHERE r.kind = 'table' AND to_regclass(r.object) = OLD.relation) THEN
    EXECUTE format('REVOKE SELECT ON %s FROM belfry_worker', OLD.relation);
  END IF;
  RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER watched_changed AFTER INSERT OR DELETE ON belfry.watched
  FOR EACH ROW EXECUTE FUNCTION belfry.watched_changed();
--> statement-breakpoint
-- @returns whether it is there now: false if this user may not make roles
CREATE FUNCTION belfry.make_role(role_name name) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF to_regrole(quote_ident(role_name)) IS NULL THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
  END IF;
  RETURN true;
EXCEPTION
  -- Another database of this cluster was quicker.
  WHEN duplicate_object OR unique_violation THEN RETURN true;
  WHEN insufficient_privilege THEN RETURN false;
END
$$;
--> statement-breakpoint
-- Run it again as the owner of Belfry's tables once the roles are there.
CREATE FUNCTION belfry.grant_rights() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  role_name text;
  granted   record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('belfry rights', 0));
  -- Trigger functions stay everyone's: who makes a partition of a watched table needs them, and
  -- nobody can call them.
  FOR granted IN
    SELECT p.oid::regprocedure AS signature FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'belfry'::regnamespace AND p.prorettype <> 'trigger'::regtype
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', granted.signature);
  END LOOP;

  FOREACH role_name IN ARRAY ARRAY['belfry_worker', 'belfry_listener'] LOOP
    IF NOT belfry.make_role(role_name) THEN
      RAISE NOTICE 'belfry: there is no role %, and % may not make it: until there is, its part logs in as the owner',
                   role_name, current_user
        USING HINT = format('As a user who may make roles: CREATE ROLE %I NOLOGIN; then, as %s: SELECT belfry.grant_rights();',
                            role_name, current_user);
      CONTINUE;
    END IF;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA belfry FROM %I', role_name);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA belfry FROM %I', role_name);
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA belfry FROM %I', role_name);
    FOR granted IN
      SELECT DISTINCT r.object FROM belfry.rights() r
       WHERE r.kind = 'table' AND to_regclass(r.object) IS NOT NULL
    LOOP
      EXECUTE format('REVOKE ALL ON %s FROM %I', granted.object, role_name);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA belfry TO %I', role_name);
    FOR granted IN SELECT * FROM belfry.rights() r WHERE r.role = role_name LOOP
      IF granted.kind = 'table' AND to_regclass(granted.object) IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.object, role_name);
      ELSIF granted.kind = 'function' THEN
        EXECUTE (SELECT string_agg(format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, role_name), ';')
                   FROM pg_catalog.pg_proc p
                  WHERE p.pronamespace = 'belfry'::regnamespace AND p.proname = granted.object);
      END IF;
    END LOOP;
  END LOOP;

  PERFORM belfry.grant_watched(w.relation) FROM belfry.watched w;
END
$$;
--> statement-breakpoint
-- Who may change a user's wishes need have no right on what is planned by them.
ALTER FUNCTION belfry.wishes_changed() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
--> statement-breakpoint
-- It keeps its answer beside the idempotency key, which nobody else may touch.
ALTER FUNCTION belfry.notify(bigint[], json) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
--> statement-breakpoint
SELECT belfry.grant_rights();
