import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Chance } from './chance.ts'
import { copyFrom } from './copy.ts'
import { type Act, commits, type Kind } from './kind.ts'
import { INBOX_USERS, inboxKinds } from './transactions-of-inboxes.ts'

const STATUSES = [
  'pending',
  'processing',
  'filled',
  'Shipped',
  'DELIVERED',
  'completed',
  'cancelled',
]
const DEPOTS = ['north', 'south', 'Öst', "o'west", 'harbour "9"']
const TICKS = 60
const NUMBERS = 80
/** Near the end of what a bigint holds: such a number must travel as text. */
const FAR_NUMBER = '9007199254740993'

/** What writers do. Keys are few, so that writers meet on the same rows. */
export const kinds: readonly Kind[] = [
  ...inboxKinds,
  commits('insert one', 12, insertOrders(1, 1)),
  commits('insert many', 4, insertOrders(2, 40)),
  commits('update one', 14, (sql, chance) =>
    sql.query(
      'UPDATE orders SET status = $1, amount = amount + $2 WHERE id = (SELECT max(id) FROM orders) - $3',
      [chance.pick(STATUSES), chance.whole(0, 3), chance.whole(0, 200)],
    ),
  ),
  commits('update many', 4, (sql, chance) =>
    sql.query("UPDATE orders SET status = $1 WHERE id % 37 = $2 AND status <> 'cancelled'", [
      chance.pick(STATUSES),
      chance.whole(0, 36),
    ]),
  ),
  commits('update without a change', 2, (sql, chance) =>
    sql.query('UPDATE orders SET status = upper(status) WHERE id % 50 = $1', [chance.whole(0, 49)]),
  ),
  commits('delete many', 4, (sql, chance) =>
    sql.query('DELETE FROM orders WHERE id < (SELECT max(id) FROM orders) - $1', [
      chance.whole(300, 500),
    ]),
  ),
  commits('change a rule', 3, changeRule),
  commits('upsert', 12, tick),
  commits('hammer one row', 4, async (sql, chance) => {
    const id = chance.whole(1, TICKS)
    for (let n = chance.whole(2, 8); n > 0; n--)
      await sql.query('UPDATE ticks SET n = n + 1 WHERE id = $1', [id])
  }),
  commits('delete and insert again', 3, async (sql, chance) => {
    const id = chance.whole(1, TICKS)
    await sql.query('DELETE FROM ticks WHERE id = $1', [id])
    await sql.query('INSERT INTO ticks VALUES ($1, 0)', [id])
    if (chance.next() < 0.5) await sql.query('DELETE FROM ticks WHERE id = $1', [id])
  }),
  commits('parcel', 10, parcel),
  commits('change of key', 8, (sql, chance) =>
    sql.query(
      `UPDATE yard.parcels SET depot = $1, number = $2, version = version + 1
        WHERE (depot, number) = ($3, $4)
          AND NOT EXISTS (SELECT FROM yard.parcels WHERE (depot, number) = ($1, $2))`,
      [
        chance.pick(DEPOTS),
        chance.whole(1, NUMBERS),
        chance.pick(DEPOTS),
        chance.whole(1, NUMBERS),
      ],
    ),
  ),
  commits('swap of keys', 2, async (sql, chance) => {
    const [depot, a, b] = [chance.pick(DEPOTS), chance.whole(1, 40), chance.whole(41, NUMBERS)]
    const move =
      'UPDATE yard.parcels SET number = $3, version = version + 1 WHERE (depot, number) = ($1, $2)'
    await sql.query(move, [depot, a, FAR_NUMBER])
    await sql.query(move, [depot, b, a])
    await sql.query(move, [depot, FAR_NUMBER, b])
  }),
  commits('delete parcels', 3, (sql, chance) =>
    sql.query('DELETE FROM yard.parcels WHERE number % 23 = $1', [chance.whole(0, 22)]),
  ),
  commits('copy', 3, async (sql, chance) => {
    const rows = Array.from({ length: chance.whole(5, 80) }, (_, n) => {
      const status = chance.pick(STATUSES).toLowerCase()
      return `Copied ${n}\tCrate\t${status}\t${chance.whole(0, 99_999) / 100}\n`
    })
    await copyFrom(
      sql,
      'COPY orders (customer_name, product_name, status, amount) FROM STDIN',
      rows.join(''),
    )
  }),
  commits('savepoints', 6, async (sql, chance) => {
    await tick(sql, chance)
    await sql.query('SAVEPOINT a')
    await insertOrders(1, 5)(sql, chance)
    await sql.query('SAVEPOINT b')
    await parcel(sql, chance)
    await sql.query(chance.next() < 0.5 ? 'ROLLBACK TO b' : 'RELEASE b')
    if (chance.next() < 0.5) await sql.query('ROLLBACK TO a')
    await tick(sql, chance)
  }),
  commits('long open', 4, async (sql, chance) => {
    await insertOrders(1, 3)(sql, chance)
    await delay(chance.whole(100, 2_500))
    await tick(sql, chance)
  }),
  {
    name: 'rolled back',
    weight: 6,
    async run(sql, chance) {
      await insertOrders(1, 10)(sql, chance)
      await tick(sql, chance)
      await parcel(sql, chance)
      return 'roll back'
    },
  },
  commits('truncate', 0.15, async (sql) => {
    await sql.query("SET LOCAL lock_timeout = '300ms'; TRUNCATE ticks")
  }),
]

function insertOrders(from: number, to: number): Act {
  return (sql, chance) =>
    sql.query(
      `INSERT INTO orders (customer_name, product_name, status, amount, customer_email, customer_id)
       SELECT 'Customer ' || n, $1, $2, $3::numeric, CASE WHEN n % 2 = 0 THEN 'c' || n || '@customers.test' END,
              CASE WHEN n % 3 = 1 THEN 1 + (n + floor($3::numeric)::int) % ${INBOX_USERS} END
         FROM generate_series(1, $4::int) n`,
      [
        chance.pick(['Bell', 'Rope <b>', 'Лампа', 'O’Hare "x"']),
        chance.pick(STATUSES),
        chance.whole(0, 99_999) / 100,
        chance.whole(from, to),
      ],
    )
}

/** Which orders owe a mail to the desk: made, changed, switched off and on, or taken away. */
function changeRule(sql: pg.Client, chance: Chance): Promise<unknown> {
  const name = `rule ${chance.whole(1, 4)}`
  if (chance.next() < 0.2) return sql.query('DELETE FROM rules WHERE name = $1', [name])
  return sql.query(
    `INSERT INTO rules (name, channel, "table", ops, "when", template, recipients)
     VALUES ($1, 'mail', 'orders', '{insert,update}', $2, 'order-status', $3)
     ON CONFLICT (name) DO UPDATE SET "when" = excluded."when", enabled = NOT rules.enabled`,
    [
      name,
      JSON.stringify({ status: { became: [chance.pick(STATUSES).toLowerCase()] } }),
      JSON.stringify([{ address: 'desk@belfry.test' }]),
    ],
  )
}

function tick(sql: pg.Client, chance: Chance): Promise<unknown> {
  return sql.query(
    'INSERT INTO ticks (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = ticks.n + 1, at = clock_timestamp()',
    [chance.whole(1, TICKS), `${chance.whole(0, 9)}007199254740993`],
  )
}

function parcel(sql: pg.Client, chance: Chance): Promise<unknown> {
  return sql.query(
    `INSERT INTO yard.parcels (depot, number, weight, tags, note) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (depot, number) DO UPDATE SET weight = parcels.weight + 0.1, note = excluded.note,
       version = parcels.version + 1`,
    [
      chance.pick(DEPOTS),
      chance.whole(1, NUMBERS),
      chance.pick(['0', '1.5', '12345678901234567890.0123456789']),
      JSON.stringify({ fragile: chance.next() < 0.5, of: chance.whole(1, 9) }),
      chance.pick([null, 'a "quoted" \\ note\n\tof two lines', 'plain']),
    ],
  )
}
