import { NeonDbError } from '@neondatabase/serverless'
import type { Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { MOST_COUNTED } from '../../protocol/notification.ts'
import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { idList } from '../api/id-list.ts'
import { WINDOW } from './copy.ts'
import type { Loaded } from './fill.ts'

/** What a user's object asks of Postgres; the law of each is in migration 0008. */
export class Queries {
  readonly #env: DatabaseEnv
  readonly #user: string

  constructor(env: DatabaseEnv, user: string) {
    this.#env = env
    this.#user = user
  }

  /** @returns null if there is no such user */
  async window(): Promise<Loaded | null> {
    const askedAt = Date.now()
    const [loaded] = await this.#ask<Omit<Loaded, 'askedAt'> | null>(
      'SELECT belfry.inbox_window($1, $2, $3)::text AS answer',
      [WINDOW, MOST_COUNTED],
    )
    return loaded ? { ...loaded, askedAt } : null
  }

  /** @param skipping ids that are not to be tried */
  async deliverDue(size: number, skipping: readonly number[]): Promise<Delivered> {
    const [delivered] = await this.#ask<{ notifications: Row[]; next_ms: number | null }>(
      'SELECT belfry.deliver_due($1, $2, $3::bigint[])::text AS answer',
      [size, idList(skipping)],
    )
    const { notifications = [], next_ms = null } = delivered ?? {}
    return { notifications, nextMs: next_ms === null ? null : Number(next_ms) }
  }

  /** Which one `deliverDue` would try first; null if none is due. */
  async firstDue(skipping: readonly number[]): Promise<number | null> {
    const [id] = await this.#ask<number>(
      `SELECT id::text AS answer FROM notifications
        WHERE user_id = $1 AND state = 'scheduled' AND deliver_at <= clock_timestamp()
          AND id <> ALL ($2::bigint[])
        ORDER BY deliver_at, id LIMIT 1`,
      [idList(skipping)],
    )
    return id ?? null
  }

  /** For a person to look at. */
  async park(id: number, problem: string): Promise<void> {
    await this.#ask(
      `UPDATE notifications SET state = 'parked', problem = $3
        WHERE user_id = $1 AND id = $2 AND state = 'scheduled' RETURNING id::text AS answer`,
      [id, problem],
    )
  }

  /** @returns the rows as they are now */
  async markUnseen(ids: readonly number[]): Promise<Row[]> {
    return this.#ask<Row>(
      `SELECT m::text AS answer FROM belfry.mark_notifications($1, $2::bigint[], 'seen', true) AS m`,
      [idList(ids)],
    )
  }

  async #ask<Answer>(text: string, values: unknown[]): Promise<Answer[]> {
    const rows = await askOnce<{ answer: string | null }>(this.#env, text, [this.#user, ...values])
    return rows.flatMap(({ answer }) =>
      answer === null ? [] : [JSON.parse(quoteInexactNumbers(answer)) as Answer],
    )
  }
}

/** `nextMs`: in how many milliseconds the next one is due; null if none is scheduled. */
export type Delivered = { notifications: Row[]; nextMs: number | null }

/**
 * Whether Postgres refused what it was asked because of a row: its values, a rule of the table, or
 * a trigger that raises. Of anything else (the way there, its rights, its migrations, other writes)
 * no row is at fault, and it is asked again for as long as it takes.
 * By class, the first two characters of the SQLSTATE.
 */
export function isAboutARow(error: unknown): error is NeonDbError {
  return error instanceof NeonDbError && ABOUT_A_ROW.has(error.code?.slice(0, 2) ?? '')
}

const ABOUT_A_ROW = new Set(['21', '22', '23', '27', '2F', '38', '39', '44', 'P0'])
