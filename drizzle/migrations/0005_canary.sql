-- Why: to know that changes arrive, one must travel. The listener that leads writes this row every
-- few seconds, and the beat goes the way of any change: trigger, outbox, bell, listener, link, feed,
-- shards. The feed takes it out before the log, so it gets no offset and no subscriber sees it.
--
-- The triggers are those of a watched table. The row is not in belfry.watched, which is the list of
-- people's tables.
-- Written by: the listener that leads. Read by: nobody; its changes are heard.
CREATE TABLE belfry.canary (
  only_one boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
  beat     bigint      NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE TRIGGER "!belfry_capture" AFTER INSERT OR UPDATE OR DELETE ON belfry.canary
  FOR EACH ROW EXECUTE FUNCTION belfry.capture('belfry.canary', 'only_one');
--> statement-breakpoint
CREATE TRIGGER "!belfry_capture_truncate" AFTER TRUNCATE ON belfry.canary
  FOR EACH STATEMENT EXECUTE FUNCTION belfry.capture('belfry.canary', 'only_one');
--> statement-breakpoint
CREATE TRIGGER "~belfry_ring" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON belfry.canary
  FOR EACH STATEMENT EXECUTE FUNCTION belfry.ring();
--> statement-breakpoint
-- A table of the schema public may be called "belfry.canary", and its changes would be taken for beats.
ALTER TABLE belfry.watched ADD CONSTRAINT "belfry.canary is Belfry's own name"
  CHECK ("table" <> 'belfry.canary');
