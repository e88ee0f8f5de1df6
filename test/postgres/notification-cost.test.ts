import { beforeAll, describe, expect, it, test } from 'vitest'
import { OVERDUE } from '../../worker/feed/overdue.ts'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const MANY = 8_000
const SOME = 100
/** It looks five times before it does. */
const TIMES = 8
const OTHERS = 8_000

/**
 * Users 1 and 3 have many, and 1 as many that are scheduled for later; 2 has some, and others one
 * each, so that on average a user has few. What is counted are the rows that Postgres read, whatever it was asked for.
 */
describe.each(servers)('P84 what a question reads of many notifications on $name', (server) => {
  const db = WatchedDatabase.on(server)

  beforeAll(async () => {
    await db.run(`ALTER TABLE users DISABLE TRIGGER USER; ALTER TABLE notifications DISABLE TRIGGER USER;
      INSERT INTO users (id, name, all_archived_at) SELECT g, 'Ada', CASE g WHEN 3 THEN now() END
        FROM generate_series(1, ${OTHERS}) g;
      INSERT INTO notifications (user_id, title, state, delivered_at, read_at)
      SELECT 1 + (g % 2) * 2, 'x', 'delivered', '2026-01-01'::timestamptz + g * interval '1 minute', now()
        FROM generate_series(1, ${2 * MANY}) g;
      INSERT INTO notifications (user_id, title, deliver_at, scheduled_at)
      SELECT 1, 'x', now() + g * interval '1 minute', now() + g * interval '1 minute'
        FROM generate_series(1, ${MANY}) g;
      INSERT INTO notifications (user_id, title, state, delivered_at)
      SELECT g, 'x', 'delivered', now() FROM generate_series(4, ${OTHERS}) g;
      INSERT INTO notifications (user_id, title, state, delivered_at)
      SELECT 2, 'x', 'delivered', now() FROM generate_series(1, ${SOME}) g;
      UPDATE notifications SET unarchived_at = now() + interval '1 hour' WHERE id = 1;
      ALTER TABLE users ENABLE TRIGGER USER; ALTER TABLE notifications ENABLE TRIGGER USER;
      ANALYZE users, notifications`)
  })

  type Read = { scanned: number; fetched: number }

  /** Of all that this session has read. */
  async function read(): Promise<Read> {
    const [counted] = await db.run<Read>(
      `SELECT seq_tup_read::int AS scanned, idx_tup_fetch::int AS fetched
         FROM pg_stat_xact_user_tables WHERE relname = 'notifications'`,
    )
    return counted as Read
  }

  /** Asked again and again over one connection, as Postgres may then settle on another plan. */
  async function readBy(statement: string): Promise<Read> {
    let found: Read = { scanned: 0, fetched: 0 }
    for (let time = 0; time < TIMES; time++) {
      await db.run('BEGIN')
      const before = await read()
      await db.run(statement)
      const after = await read()
      await db.run('ROLLBACK')
      found = { scanned: after.scanned - before.scanned, fetched: after.fetched - before.fetched }
    }
    return found
  }

  const deep = `'2026-01-01'::timestamptz + interval '200 minutes', 200`
  const pageOf = (user: number, place: string, which: string) =>
    `SELECT * FROM belfry.inbox_page(${user}, ${place}, 20, '${which}', NULL)`

  test.each<[string, string, number]>([
    ['one mark', "SELECT * FROM belfry.mark_notifications(1, '{100}', 'read', true)", 4],
    ['a mark of all', "SELECT belfry.mark_all(1, 'seen', NULL, false)", 0],
    ['a window of 100', 'SELECT belfry.inbox_window(1, 100, 0)', 110],
    [
      'what is unread before it',
      "SELECT * FROM belfry.count_before(1, 'read', now(), 0, 100)",
      110,
    ],
    [
      'what is unseen before it',
      "SELECT * FROM belfry.count_before(1, 'seen', now(), 0, 100)",
      110,
    ],
    ['the first page', pageOf(1, 'NULL, NULL', 'active'), 25],
    ['a page far down', pageOf(1, deep, 'active'), 25],
    ['a page of all far down', pageOf(1, deep, 'all'), 25],
    ['the unread, where all are read', pageOf(1, 'NULL, NULL', 'unread'), 5],
    ['the archived, where none is', pageOf(1, 'NULL, NULL', 'archived'), 5],
    ['the active, where all are archived at once', pageOf(3, 'NULL, NULL', 'active'), 5],
    ['a delivery, where nothing is due', 'SELECT belfry.deliver_due(1, 100)', 5],
    ['when the next is due', 'SELECT belfry.next_due_ms(1)', 2],
    ['the sweep', OVERDUE.replace('$1', '1000'), 5],
    ['another wish', "UPDATE users SET time_zone = 'Europe/Berlin' WHERE id = 2", 5],
    ['a preference', "INSERT INTO preferences VALUES (2, 'general', 'mail', false)", 5],
  ])('%s', async (_what, statement, most) => {
    const { scanned, fetched } = await readBy(statement)
    expect(scanned).toBe(0)
    expect(fetched).toBeLessThanOrEqual(most)
  })

  it('counts rows that are read', async () => {
    expect(await readBy('SELECT count(content::text) FROM notifications')).toMatchObject({
      scanned: 3 * MANY + SOME + OTHERS - 3,
    })
  })
})
