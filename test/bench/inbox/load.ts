import pg from 'pg'

/**
 * Inboxes as they stand after a while, written by statements over sets: every person has `each`
 * notifications, one an hour, and the first `rich` people `TIMES` as many.
 *
 * They are history, so nobody is told: with `session_replication_role = replica` no trigger runs,
 * capture and planning included. Rows of one person lie far apart, as they would. Of the table's
 * indexes only those of its constraints stand meanwhile; the others are made afterwards.
 */
export const EACH = 100
export const TIMES = 100
/** What the newest rows are to a person who keeps up: not opened yet. */
export const NEW_TO_THEM = 10
const ROWS_AT_ONCE = 1_000_000

export type Plan = { people: number; rich: number }
export type Loaded = { rows: number; bytes: number; insertSeconds: number; indexSeconds: number }

/** Whoever keeps up has opened the list and read everything, each by itself, but the newest. */
export function keepsUp(person: number): boolean {
  return person % 2 === 0
}

export async function loadInboxes(
  url: string,
  { people, rich }: Plan,
  say: (line: string) => void,
): Promise<Loaded> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const setting of SETTINGS) await client.query(setting)
    await client.query(PEOPLE, [people])
    const indexes = await takeIndexes(client)
    const began = performance.now()
    const older = EACH * (TIMES - 1)
    let rows = 0
    // From the oldest on, and in each hour one for every person who was there.
    const insert = async (hours: number, count: number, newest: number) => {
      if (count === 0) return
      const step = Math.max(1, Math.floor(ROWS_AT_ONCE / count))
      for (let from = 0; from < hours; from += step) {
        const to = Math.min(hours, from + step)
        await client.query(NOTIFICATIONS, [newest + hours - from, newest + hours - to + 1, count])
        rows += (to - from) * count
        say(`${(rows / 1e6).toFixed(1)} million rows, ${perSecond(rows, began)} rows/s`)
      }
    }
    await insert(older, rich, EACH)
    await insert(EACH, people, 0)
    const insertSeconds = (performance.now() - began) / 1000
    const indexing = performance.now()
    for (const { name, made } of indexes) {
      await client.query(made)
      say(`${name} made, ${((performance.now() - indexing) / 1000).toFixed(0)} s`)
    }
    await client.query(OPENED, [NEW_TO_THEM])
    for (const finish of FINISH) await client.query(finish)
    const { rows: sizes } = await client.query<{ bytes: string }>(
      "SELECT pg_total_relation_size('notifications') AS bytes",
    )
    const indexSeconds = (performance.now() - indexing) / 1000
    return { rows, bytes: Number(sizes[0]?.bytes), insertSeconds, indexSeconds }
  } finally {
    await client.end()
  }
}

const SETTINGS = [
  'SET session_replication_role = replica',
  'SET synchronous_commit = off',
  "SET maintenance_work_mem = '1GB'",
]

const PEOPLE = `INSERT INTO users (id, name, email)
  SELECT n, 'Person ' || n, 'person' || n || '@belfry.test' FROM generate_series(1, $1::int) AS n`

/** $1 to $2: how many hours ago, so many; $3: for the first so many people. */
const NOTIFICATIONS = `INSERT INTO notifications
    (user_id, category, title, content, link, state, deliver_at, delivered_at, created_at, read_at)
  SELECT person, 'orders', 'Order ' || ago || ' was shipped',
         json_build_object('order', ago, 'text', 'Brass gears, set of 40, are on their way.'),
         '/orders/' || ago, 'delivered', at.was, at.was, at.was,
         CASE WHEN person % 2 = 0 AND ago > ${NEW_TO_THEM} THEN at.was + interval '1 minute' END
    FROM generate_series($1::int, $2::int, -1) AS ago
   CROSS JOIN generate_series(1, $3::int) AS person,
         LATERAL (SELECT now() - ago * interval '1 hour' - person * interval '1 microsecond' AS was) AS at`

const OPENED = `UPDATE users
    SET last_opened_at = now() - $1::int * interval '1 hour' - interval '30 minutes'
  WHERE id % 2 = 0`

const FINISH = [
  "SELECT setval('users_id_seq', (SELECT max(id) FROM users))",
  'VACUUM (ANALYZE) notifications',
  'VACUUM (ANALYZE) users',
  'CHECKPOINT',
]

/** Drops what no constraint stands on. @returns how each is made again */
async function takeIndexes(client: pg.Client): Promise<{ name: string; made: string }[]> {
  const { rows } = await client.query<{ name: string; made: string }>(`
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made
      FROM pg_index i
     WHERE i.indrelid = 'notifications'::regclass
       AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`)
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`)
  return rows
}

function perSecond(rows: number, began: number): string {
  return Math.round((rows * 1000) / (performance.now() - began)).toLocaleString('en')
}
