import { type Backoff, fullJitter } from '../../protocol/backoff.ts'
import type { Row } from '../../protocol/change.ts'
import { isAboutARow, type Queries } from './queries.ts'

/**
 * Delivering what is due.
 *
 * Postgres is authoritative on what that is, by its own clock: nothing here says that a time has
 * come, so none is early. Must hold: what Postgres refuses to deliver does not hold back the others.
 * The one at fault is found by asking for fewer and fewer; it is left out, tried again later, and
 * after MAX_ATTEMPTS parked, with what Postgres said.
 * On failure of Postgres itself this throws, and nobody is blamed.
 */
const AT_ONCE = 100
export const MAX_ATTEMPTS = 8
const BACKOFF: Backoff = { baseMs: 15_000, capMs: 3_600_000, factor: 4 }
/** Bounded like all that an object remembers; while so many are in trouble, all wait. */
const MAX_TROUBLED = 50
/** Then others may come in between; the alarm goes on. */
const MAX_ROUNDS = 100
const LEAST_WAIT_MS = 1_000
const PROBLEM_MAX = 900

/** A notification that was refused, and when it is tried again, in ms since 1970. */
export type Trouble = { id: number; attempts: number; nextAt: number }

/** `nextAt`: when something may be due again, in ms since 1970; null if nothing is scheduled. */
export type Round = { troubled: Trouble[]; nextAt: number | null }

/**
 * @param deliver is told of what was delivered, as it goes
 * @throws what the driver says when Postgres cannot be asked
 */
export async function deliverDue(
  queries: Queries,
  troubled: readonly Trouble[],
  deliver: (rows: Row[]) => void,
): Promise<Round> {
  const now = Date.now()
  // Whose time has come is tried like any other, and stays no trouble unless refused again.
  const waiting = troubled.filter(({ nextAt }) => nextAt > now)
  let size = AT_ONCE
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const skipping = waiting.map(({ id }) => id)
    try {
      const { notifications, nextMs } = await queries.deliverDue(size, skipping)
      deliver(notifications)
      if (nextMs === null || nextMs > 0) return { troubled: waiting, nextAt: next(waiting, nextMs) }
      if (notifications.length === 0) break
    } catch (error) {
      if (!isAboutARow(error)) throw error
      if (size > 1) {
        size = Math.ceil(size / 2)
        continue
      }
      const id = await queries.firstDue(skipping)
      if (id === null) continue
      const attempts = 1 + (troubled.find((trouble) => trouble.id === id)?.attempts ?? 0)
      const said = `${error.message} (SQLSTATE ${error.code})`.slice(0, PROBLEM_MAX)
      const isParked = attempts >= MAX_ATTEMPTS && (await park(queries, id, said))
      const waitMs = Math.max(LEAST_WAIT_MS, fullJitter(attempts, BACKOFF, Math.random()))
      if (!isParked)
        waiting.push({ id, attempts: Math.min(attempts, MAX_ATTEMPTS - 1), nextAt: now + waitMs })
      console.warn(
        JSON.stringify({ message: 'a notification is refused', notification: id, attempts, said }),
      )
      if (waiting.length >= MAX_TROUBLED) return { troubled: waiting, nextAt: next(waiting, null) }
      size = AT_ONCE
    }
  }
  return { troubled: waiting, nextAt: Date.now() + LEAST_WAIT_MS }
}

/** @returns false if that was refused too: it stays in trouble, and is tried and parked again */
async function park(queries: Queries, id: number, said: string): Promise<boolean> {
  try {
    await queries.park(id, `Postgres refused ${MAX_ATTEMPTS} times to deliver it: ${said}`)
    return true
  } catch (error) {
    if (!isAboutARow(error)) throw error
    return false
  }
}

function next(waiting: readonly Trouble[], nextMs: number | null): number | null {
  const times = waiting.map(({ nextAt }) => nextAt)
  if (nextMs !== null) times.push(Date.now() + Math.ceil(nextMs))
  return times.length === 0 ? null : Math.min(...times)
}
