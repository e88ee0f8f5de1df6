import type pg from 'pg'
import { sampleAddress } from './sample-orders.ts'

/**
 * Title, category, text, hours since it was delivered (below zero: until it will be), whether it
 * was read. To everybody whom `insertSampleUsers` has made, or to one of them.
 */
const samples: [string, string, string, number, boolean, string?][] = [
  ['Welcome', 'general', 'Here you hear how your orders come along.', 100, true],
  ['The winter catalogue is out', 'news', 'Bells, lanterns and slide rules.', 30, false],
  [
    'Your brass gears take a day longer',
    'orders',
    'The last of the forty is being cut. You hear when they ship.',
    5,
    false,
    'Ada Lovelace',
  ],
  [
    'Your new address is saved',
    'account',
    'If this was not you, tell us.',
    3,
    false,
    'Hedy Lamarr',
  ],
  ['The shop is closed on Sunday', 'news', 'Orders are packed again on Monday.', -20, false],
]

/** @returns how many were inserted */
export async function insertSampleNotifications(client: pg.Client): Promise<number> {
  const rows = samples.map(([title, category, text, hours, isRead, to]) => ({
    title,
    category,
    content: { text },
    hours,
    read: isRead,
    email: to === undefined ? null : sampleAddress(to),
  }))
  // What was delivered is taken as it is; the others are planned.
  const { rowCount } = await client.query(
    `INSERT INTO notifications (user_id, title, category, content, created_at, scheduled_at,
                                state, delivered_at, seen_at, read_at)
     SELECT users.id, title, category, content, least(at, now()), CASE WHEN at > now() THEN at END,
            CASE WHEN at > now() THEN 'scheduled' ELSE 'delivered' END,
            CASE WHEN at <= now() THEN at END, CASE WHEN read THEN at END, CASE WHEN read THEN at END
       FROM json_to_recordset($1) AS sample(title text, category text, content json,
              hours double precision, read boolean, email text)
      CROSS JOIN LATERAL (SELECT now() - hours * interval '1 hour' AS at) AS timed
       JOIN users ON users.email = coalesce(sample.email, users.email)
      ORDER BY at, users.id`,
    [JSON.stringify(rows)],
  )
  return rowCount ?? 0
}
