import { MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_CHANGE_BYTES } from '../../protocol/link.ts'
import { fillBatch, type OutboxRow, type OwedChange } from '../../protocol/outbox.ts'
import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { databaseFailure } from '../api/database-failure.ts'
import { idList } from '../api/id-list.ts'
import type { Owner } from './claim.ts'

/** The outbox as the feed reaches it. What fails says in a sentence what to do about it. */
export type Outbox = {
  look(): Promise<Look>
  /** Writes down that this database's changes are the feed's, unless they are some feed's already. */
  claim(feed: string): Promise<void>
  forget(ids: readonly string[]): Promise<void>
}

/** The head of the outbox as one batch, whose it is, and the newest term, of one snapshot. */
export type Look = Owner & { term: number; owed: OwedChange[]; more: boolean }

/** As the listener's: a database that sleeps has woken by then. */
const QUERY_TIMEOUT_MS = 9_000

const LOOK = `
  SELECT identity.source, owner.feed, (SELECT max(term) FROM belfry.terms)::text AS term, head.*
    FROM belfry.identity
    LEFT JOIN (SELECT feed FROM belfry.terms WHERE feed IS NOT NULL
                ORDER BY feed = '', term DESC LIMIT 1) AS owner ON true
    LEFT JOIN belfry.peek($1, $2, $3, '{}') AS head ON true`

/** Term 0 is below every leader's: one feed can have it, and what a leader writes down outranks it. */
const CLAIM = `
  INSERT INTO belfry.terms (term, listener, backend_pid, feed)
  VALUES (0, 'none: the feed drains by itself', 0, $1) ON CONFLICT DO NOTHING`

const FORGET = 'DELETE FROM belfry.outbox WHERE id = ANY($1::bigint[])'

/** Over Neon's HTTP driver. */
export class HttpOutbox implements Outbox {
  readonly #env: DatabaseEnv

  constructor(env: DatabaseEnv) {
    this.#env = env
  }

  async look(): Promise<Look> {
    const limits = [MAX_BATCH_CHANGES, MAX_BATCH_BYTES, MAX_CHANGE_BYTES]
    const rows = await this.#ask<Answer>(LOOK, limits)
    const [first] = rows
    if (!first) throw new Error('belfry.identity is empty. Restore its row from a backup.')
    const { source, feed, term } = first
    const found = rows.filter((row): row is Answer & OutboxRow => row.id !== null)
    return { source, feed, term: Number(term), ...fillBatch(found) }
  }

  async claim(feed: string): Promise<void> {
    await this.#ask(CLAIM, [feed])
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#ask(FORGET, [idList(ids)])
  }

  async #ask<Row>(text: string, values: unknown[]): Promise<Row[]> {
    try {
      return await askOnce<Row>(this.#env, text, values, QUERY_TIMEOUT_MS)
    } catch (cause) {
      throw new Error(sentence(cause), { cause })
    }
  }
}

type Answer = Owner & { term: string | null } & (OutboxRow | { id: null })

function sentence(cause: unknown): string {
  const failure = databaseFailure(cause)
  if (failure === null) return `${cause}. The feed tries again; start the listener meanwhile.`
  // What passes by itself is worded for somebody who has sent a request.
  const passes = failure.retryAfterS !== undefined && failure.retryAfterS < 60
  return passes ? 'The database does not answer. The feed tries again.' : failure.detail
}
