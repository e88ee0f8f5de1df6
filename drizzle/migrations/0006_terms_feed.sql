-- Why: without a listener the feed drains the outbox itself, and two feeds may have this database's
-- address: a worker under test, or one that has been moved away from. What one of them deletes is
-- lost to the other. So it is written down whose the changes are.
--
-- Written by: the leader, once a feed has welcomed it; and, as term 0, a feed that drains where no
-- leader was ever welcomed. Read by: feeds that would drain. The newest term that has one counts.
ALTER TABLE belfry.terms ADD COLUMN feed text;
--> statement-breakpoint
-- Before now it was not written down: only a feed that knows this database takes it for its own.
UPDATE belfry.terms SET feed = '';
