import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type DemoOrder, type Move, nextMove } from './demo-orders.ts'
import type { Part } from './run.ts'
import { sampleDomain } from './sample-orders.ts'

/**
 * Orders live their lives: about two changes a second, until the run ends. Only orders that we
 * made up are touched, which their addresses tell, so a table with real ones is safe.
 */
const meanPauseMs = 500
const pauseAfterErrorMs = 2_000

/** @param say told when the database cannot be had, and when it can again */
export function startDemo(
  databaseUrl: string,
  ending: AbortSignal,
  say: (text: string) => void,
): Part {
  const demo = live(databaseUrl, ending, say)
  // A query that hangs is not waited for.
  return { stop: () => Promise.race([demo, sleep(1_000, undefined, { ref: false })]) }
}

async function live(
  databaseUrl: string,
  ending: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: 5_000,
  })
  pool.on('error', () => {})
  let isBroken = false
  while (!ending.aborted) {
    try {
      await makeMove(pool)
      if (isBroken) say('goes on')
      isBroken = false
    } catch (error) {
      if (!isBroken)
        say(`waits for the database (${error instanceof Error ? error.message : error})`)
      isBroken = true
    }
    const pauseMs = isBroken ? pauseAfterErrorMs : meanPauseMs * (0.4 + Math.random() * 1.2)
    await sleep(pauseMs, undefined, { signal: ending }).catch(() => {})
  }
  await pool.end()
}

async function makeMove(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<DemoOrder>(
    `SELECT id, status, amount::float FROM orders
      WHERE customer_email LIKE '%@' || $1 ORDER BY updated_at`,
    [sampleDomain],
  )
  const { text, values } = statementOf(nextMove(rows, Math.random))
  await pool.query(text, values)
}

function statementOf(move: Move): { text: string; values: unknown[] } {
  switch (move.kind) {
    case 'place':
      return {
        // Some customers are sample users: their bell rings when it ships.
        text: `INSERT INTO orders (customer_name, customer_email, product_name, amount, customer_id)
               VALUES ($1, $2, $3, $4, (SELECT min(id) FROM users WHERE email = $2))`,
        values: [move.customer, move.email, move.product, move.amount],
      }
    case 'advance':
      return {
        text: 'UPDATE orders SET status = $2 WHERE id = $1',
        values: [move.id, move.status],
      }
    case 'amend':
      return {
        text: 'UPDATE orders SET amount = $2 WHERE id = $1',
        values: [move.id, move.amount],
      }
    case 'forget':
      return { text: 'DELETE FROM orders WHERE id = $1', values: [move.id] }
  }
}
