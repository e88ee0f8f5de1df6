import type { Fault } from './faults.ts'

/** Above what the feed's storage holds, 2 MB; a mail consumer cannot read it. */
const TOO_LARGE = 2_300_000
const BULK_ROWS = 5_000

/** What is written is itself the trouble. */
export const dataFaults: readonly Fault[] = [
  {
    // The mail consumer cannot know whether it became filled: it must try, park it, and go on.
    name: 'poison for a consumer',
    when: 'early',
    async strike({ sql }) {
      const { rows } = await sql.query<{ id: string }>(
        `INSERT INTO orders (customer_name, product_name, status, amount)
         VALUES ('Poison', repeat('x', ${TOO_LARGE}), 'filled', 1) RETURNING id`,
      )
      await sql.query('DELETE FROM orders WHERE id = $1', [rows[0]?.id])
      return `an order of ${TOO_LARGE} bytes`
    },
  },
  {
    name: 'row over 2 MB',
    when: 'any time',
    async strike({ sql, chance }) {
      const number = chance.whole(100_000, 900_000)
      await sql.query('INSERT INTO yard.parcels (depot, number, note) VALUES ($1, $2, $3)', [
        ...['north', number, 'x'.repeat(TOO_LARGE)],
      ])
      await sql.query("UPDATE yard.parcels SET note = 'slim', version = 2 WHERE number = $1", [
        number,
      ])
      return `a parcel of ${TOO_LARGE} bytes, then without`
    },
  },
  {
    name: 'bulk update',
    when: 'any time',
    async strike({ sql }) {
      const { rowCount } = await sql.query(`UPDATE piles SET n = n + 1 WHERE id <= ${BULK_ROWS}`)
      return `${rowCount} rows in one statement`
    },
  },
]
