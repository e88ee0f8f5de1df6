import type pg from 'pg'
import type { Chance } from './chance.ts'
import { type Act, commits } from './kind.ts'

/** What writers do to inboxes with SQL of their own, as a product would and as a person might. */
export const INBOX_USERS = 20

const MARKED = ['seen', 'read', 'archived'] as const
const FOR_ALL = ['last_opened_at', 'all_read_at', 'all_archived_at'] as const
const LATEST_DUE_MS = 6_000

export const inboxKinds = [
  commits('notify', 8, notify),
  commits('mark some', 8, markSome),
  commits('mark all', 3, markAll),
  commits('cancel or put off', 3, changeSchedule),
  commits('delete notifications', 1, (sql, chance) =>
    // What rules have written is counted in the end.
    sql.query('DELETE FROM notifications WHERE origin IS NULL AND id % 41 = $1', [
      chance.whole(0, 40),
    ]),
  ),
  commits('switch a rule of inboxes', 0.5, (sql) =>
    sql.query("UPDATE rules SET enabled = NOT enabled WHERE name = 'order-shipped'"),
  ),
]

function notify(sql: pg.Client, chance: Chance): ReturnType<Act> {
  return sql.query(
    `INSERT INTO notifications (user_id, category, title, content, scheduled_at)
     SELECT 1 + ($1::int + n) % ${INBOX_USERS}, $2, 'Note ' || n, json_build_object('n', n),
            CASE WHEN n % 2 = 0 THEN now() + $3 * interval '1 millisecond' END
       FROM generate_series(1, $4::int) AS n`,
    [
      chance.whole(0, INBOX_USERS - 1),
      chance.pick(['general', 'orders']),
      chance.whole(0, LATEST_DUE_MS),
      chance.whole(1, 6),
    ],
  )
}

function markSome(sql: pg.Client, chance: Chance): ReturnType<Act> {
  const mark = chance.pick(MARKED)
  const undo = chance.next() < 0.3
  return sql.query(
    `UPDATE notifications
        SET ${mark}_at = ${undo ? 'NULL' : 'clock_timestamp()'}, un${mark}_at = ${undo ? 'clock_timestamp()' : 'NULL'}
      WHERE user_id = $1 AND state = 'delivered' AND id % 5 = $2`,
    [chance.whole(1, INBOX_USERS), chance.whole(0, 4)],
  )
}

function markAll(sql: pg.Client, chance: Chance): ReturnType<Act> {
  const undo = chance.next() < 0.2
  return sql.query(
    `UPDATE users SET ${chance.pick(FOR_ALL)} = ${undo ? 'NULL' : 'clock_timestamp()'} WHERE id = $1`,
    [chance.whole(1, INBOX_USERS)],
  )
}

function changeSchedule(sql: pg.Client, chance: Chance): ReturnType<Act> {
  return chance.next() < 0.5
    ? sql.query(
        "UPDATE notifications SET state = 'cancelled' WHERE state = 'scheduled' AND id % 7 = $1",
        [chance.whole(0, 6)],
      )
    : sql.query(
        `UPDATE notifications SET scheduled_at = now() + $1 * interval '1 millisecond'
          WHERE state = 'scheduled' AND id % 7 = $2`,
        [chance.whole(0, LATEST_DUE_MS), chance.whole(0, 6)],
      )
}
