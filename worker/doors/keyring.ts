import { DurableObject } from 'cloudflare:workers'
import { askOnce } from '../api/database.ts'
import { databaseAdvice } from '../api/database-failure.ts'
import type { Env } from '../env.ts'
import { StandingAlarm } from '../feed/standing-alarm.ts'
import { type KeyringDoor, KeyringUnknown, type Reading } from './keyring-book.ts'
import { RingCopy } from './ring-copy.ts'
import { Subjects } from './subjects.ts'

/** Postgres is asked so often at most, however many isolates ask here. */
const FRESH_MS = 1_000
/** When keys were used is written so often at most. */
const USED_APART_MS = 60_000
const QUERY_TIMEOUT_MS = 5_000

/**
 * The keyring: who may be let in by a key, and who may not be any more. There is one.
 *
 * Postgres is authoritative. This object asks it in place of all isolates, at most once a second
 * (and after what the API writes), and only when it is asked itself, so that a database at rest
 * stays at rest. Must hold: what it
 * hands over was true at most a second before it was asked, while Postgres answers.
 * On failure the last copy is handed over, also after an eviction: while Postgres cannot be asked
 * nothing can be revoked in it either. Without any copy it throws KeyringUnknown, and nobody is let
 * in. That a key was used is kept in memory for a minute, and may be lost with it.
 */
export class Keyring extends DurableObject<Env> implements KeyringDoor {
  readonly #copy: RingCopy
  readonly #subjects = new Subjects((subject) => this.#userOf(subject))
  readonly #alarm: StandingAlarm
  #askedAt = Number.NEGATIVE_INFINITY
  #isTroubled = false
  #asking: Promise<void> | null = null
  readonly #used = new Set<number>()
  #usedSaidAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#copy = new RingCopy(ctx.storage)
    this.#alarm = new StandingAlarm(ctx.storage)
  }

  async read(version: string | null, used: number[]): Promise<Reading | null> {
    if (used.length > 0) await this.#noteUse(used)
    const age = Date.now() - this.#askedAt
    if (!(age >= 0 && age < FRESH_MS)) {
      // Nobody waits for a database that did not answer the last time.
      if (this.#isTroubled && this.#copy.now) this.ctx.waitUntil(this.#refresh())
      else await this.#refresh()
    }
    const { now } = this.#copy
    if (now === null) throw new KeyringUnknown('Postgres cannot be asked, and there is no copy.')
    return now.version === version ? null : now
  }

  async renew(): Promise<void> {
    // What is being asked may have been answered before.
    await this.#asking
    this.#askedAt = Number.NEGATIVE_INFINITY
  }

  async userOf(subject: string): Promise<string | null> {
    return this.#subjects.userOf(subject, Date.now())
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang()
    const ids = [...this.#used]
    if (ids.length === 0) return
    this.#used.clear()
    this.#usedSaidAt = Date.now()
    try {
      await askOnce(this.env, USED, [`{${ids.join(',')}}`], QUERY_TIMEOUT_MS)
    } catch (error) {
      // When it is used again, it is said again.
      warn('when keys were used could not be written', databaseAdvice(error))
    }
  }

  /** One query at a time, which everyone who asks meanwhile awaits. Never throws. */
  #refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  async #ask(): Promise<void> {
    const at = Date.now()
    try {
      const [row] = await askOnce<{ ring: string }>(this.env, RING, [], QUERY_TIMEOUT_MS)
      if (!row) throw new Error('belfry.keyring() gave no row')
      await this.#copy.take(row.ring)
      this.#isTroubled = false
    } catch (error) {
      this.#isTroubled = true
      warn(
        'keys and revocations could not be read; the last copy is in force',
        databaseAdvice(error),
      )
    } finally {
      this.#askedAt = at
    }
  }

  async #userOf(subject: string): Promise<string | null> {
    const [row] = await askOnce<{ id: string }>(this.env, USER, [subject], QUERY_TIMEOUT_MS)
    return row?.id ?? null
  }

  async #noteUse(ids: readonly number[]): Promise<void> {
    for (const id of ids) if (Number.isSafeInteger(id)) this.#used.add(id)
    const at = Math.max(Date.now(), this.#usedSaidAt + USED_APART_MS)
    await this.#alarm.setFor(() => at)
  }
}

const RING = 'SELECT belfry.keyring()::text AS ring'
const USER = 'SELECT id::text FROM public.users WHERE subject = $1'
const USED = 'UPDATE belfry.api_keys SET last_used_at = now() WHERE id = ANY ($1::bigint[])'

function warn(message: string, error: unknown): void {
  console.warn(JSON.stringify({ message: `the keyring: ${message}`, error: String(error) }))
}
