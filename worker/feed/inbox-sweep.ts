import { askOnce } from '../api/database.ts'
import { databaseAdvice } from '../api/database-failure.ts'
import type { Env } from '../env.ts'
import { eachInbox } from './each-inbox.ts'
import { inboxesOf } from './inboxes.ts'
import { MissedInboxes } from './missed-inboxes.ts'
import { OVERDUE } from './overdue.ts'
import { type Inboxes, tellInbox } from './tell-inbox.ts'

/** With the minute between two alarms of the feed, and what OVERDUE lets pass, within 5 minutes. */
const SWEEP_MS = 210_000
/** After the database could not be asked. */
const RETRY_MS = 60_000
const MOST_USERS = 1_000

/**
 * Finds what inboxes missed. Those that could not be told something are told so now, each time. And
 * every few minutes it asks Postgres whose notifications are overdue, whatever became of the alarms,
 * and wakes their objects, which deliver them. It carries no truth: it may be late, come twice, or
 * wake an object for nothing.
 * On failure it warns, and the next one finds what this one did not.
 */
export class InboxSweep {
  readonly #env: Env
  readonly #sql: SqlStorage
  readonly #inboxes: Inboxes
  readonly #missed: MissedInboxes

  constructor(env: Env, sql: SqlStorage) {
    this.#env = env
    this.#sql = sql
    this.#inboxes = inboxesOf(env)
    this.#missed = new MissedInboxes(sql)
    sql.exec(
      'CREATE TABLE IF NOT EXISTS inbox_sweep (one INTEGER PRIMARY KEY CHECK (one = 1), next_at INTEGER NOT NULL)',
    )
  }

  /**
   * Never throws.
   * @param epoch of the feed
   */
  async run(now: number, epoch: string): Promise<void> {
    await this.#tellWhatTheyMissed(epoch)
    if (now < this.#nextAt) return
    this.#nextAt = now + RETRY_MS
    try {
      const users = await askOnce<{ id: string }>(this.#env, OVERDUE, [MOST_USERS])
      const failures = await this.#wake(users.map(({ id }) => id))
      if (failures.length > 0)
        warn(`${failures.length} of ${users.length} inboxes could not be woken`, failures[0])
      if (users.length < MOST_USERS) this.#nextAt = now + SWEEP_MS
    } catch (error) {
      warn('whose notifications are overdue could not be read', databaseAdvice(error))
    }
  }

  async #tellWhatTheyMissed(epoch: string): Promise<void> {
    const told = { changes: [], epoch, hasMissed: true }
    await eachInbox([...this.#missed.users].slice(0, MOST_USERS), (user) =>
      tellInbox(this.#inboxes, this.#missed, user, told),
    )
  }

  async #wake(users: readonly string[]): Promise<unknown[]> {
    const failures: unknown[] = []
    await eachInbox(users, async (user) => {
      await this.#inboxes
        .getByName(user)
        .wake()
        .catch((error: unknown) => failures.push(error))
    })
    return failures
  }

  get #nextAt(): number {
    const [row] = this.#sql.exec<{ next_at: number }>('SELECT next_at FROM inbox_sweep').toArray()
    return row?.next_at ?? 0
  }

  set #nextAt(at: number) {
    this.#sql.exec('INSERT OR REPLACE INTO inbox_sweep VALUES (1, ?)', at)
  }
}

function warn(message: string, error: unknown): void {
  console.warn(
    JSON.stringify({ message: `the sweep of inboxes: ${message}`, error: String(error) }),
  )
}
