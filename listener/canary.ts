import { setTimeout as delay } from 'node:timers/promises'
import { CANARY_MS } from '../protocol/canary.ts'
import type { OwedChange } from '../protocol/outbox.ts'
import type { Database } from './database.ts'
import { FencedError, type Link } from './link.ts'
import type { Metrics } from './metrics.ts'

/**
 * The canary: while we lead and the link is open, a row of Belfry's own is written every few
 * seconds, and its change goes the way of any other.
 *
 * Must hold: of one leader no two beats are under way. The next is written only after the last
 * has come back, so that a way which is blocked finds one beat waiting, not a pile of them. What
 * is in the outbox anyway is drained like anything else, by whoever leads then.
 */
export class Canary {
  readonly #database: Database
  readonly #link: Link
  readonly #metrics: Metrics
  #waiting: { beat: number; end: (came: boolean) => void } | null = null

  constructor(parts: { database: Database; link: Link; metrics: Metrics }) {
    this.#database = parts.database
    this.#link = parts.link
    this.#metrics = parts.metrics
  }

  /** Beats until the signal says so; never throws. */
  async keep(signal: AbortSignal, say: (line: string) => void): Promise<void> {
    this.#metrics.beatSince(Date.now())
    signal.addEventListener('abort', () => this.#waiting?.end(false), { once: true })
    while (!signal.aborted) {
      try {
        await this.#link.ready(signal)
        if (this.#link.takesCanary) await this.#beat(signal)
      } catch (error) {
        // Who keeps the link ends our leadership.
        if (signal.aborted || error instanceof FencedError) return
        say(`no beat of the canary (${String(error)})`)
      }
      await delay(CANARY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** The feed has these. */
  acknowledged(owed: readonly OwedChange[]): void {
    if (!this.#waiting) return
    const { beat, end } = this.#waiting
    if (owed.some((change) => change.beat === beat)) end(true)
  }

  /** There is nothing in the outbox: a beat that we wait for was not captured, or the feed took it. */
  foundNothing(): void {
    this.#waiting?.end(false)
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const began = performance.now()
    const beat = await this.#database.beat()
    if (signal.aborted) return
    const came = await new Promise<boolean>((end) => {
      this.#waiting = { beat, end }
    })
    this.#waiting = null
    if (came) this.#metrics.beaten(Date.now(), performance.now() - began)
  }
}
