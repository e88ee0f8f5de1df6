import type { OwedChange } from '../../../protocol/outbox.ts'
import { current } from '../current.ts'
import { owed } from '../owed.ts'
import type { OutboxRow, Postgres } from '../postgres.ts'
import type { Process, World } from '../world.ts'
import { SOURCE } from './database.ts'

/** Of worker/feed/outbox.ts. */
const QUERY_TIMEOUT_MS = 9_000
/** Small, so that a batch is often not all there is. */
const MAX_BATCH = 4

/** Requests under way to Postgres, oldest first: each may be lost, before or after it is executed. */
export class Requests {
  readonly #open = new Set<Request>()

  /** Whoever asks for nothing has nothing in hand. */
  get isEmpty(): boolean {
    return this.#alive.length === 0
  }

  lose(): boolean {
    const [request] = this.#alive
    request?.fail(new Error('The database does not answer. The feed tries again.'))
    return request !== undefined
  }

  /** @returns what to call when it is over */
  begin(request: Request): () => void {
    this.#open.add(request)
    return () => this.#open.delete(request)
  }

  get #alive(): Request[] {
    return [...this.#open].filter(({ from }) => from.alive)
  }
}

type Request = { from: Process; fail: (error: Error) => void }

/** In place of worker/feed/outbox.ts: the same questions, answered by the simulated Postgres. */
export class HttpOutbox {
  readonly #world: World
  readonly #postgres: Postgres
  /** What looks have seen: for a broken decision. */
  #seen: readonly OutboxRow[] = []

  constructor() {
    const { world, postgres } = current()
    this.#world = world
    this.#postgres = postgres
  }

  async look(): Promise<Look> {
    return this.#ask('looks for itself', () => {
      const head = this.#head()
      if (this.#world.broken === 'drain: deletes first') this.#forget(head.map(({ id }) => id))
      return {
        source: SOURCE,
        feed: this.#postgres.owner,
        term: this.#postgres.newestTerm,
        owed: head.map((row) => owed(row, this.#world.now)),
        more: this.#postgres.outbox.length > head.length,
      }
    })
  }

  async claim(feed: string): Promise<void> {
    return this.#ask('claims the outbox', () => {
      this.#world.reach('an outbox claimed')
      this.#postgres.claimedBy ??= feed
    })
  }

  async forget(ids: readonly string[]): Promise<void> {
    return this.#ask('forgets what it has', () => {
      this.#world.reach(
        this.#postgres.lockedBy ? 'a drain beside a leader' : 'a drain without a leader',
      )
      this.#forget(ids.map(Number))
    })
  }

  #head(): OutboxRow[] {
    const { outbox } = this.#postgres
    const { broken } = this.#world
    if (broken === 'drain: not from the head') return outbox.slice(-MAX_BATCH)
    const seen = broken === 'drain: an old look' ? this.#seen : []
    this.#seen = outbox.slice(0, MAX_BATCH)
    return [...new Set([...seen, ...this.#seen])]
  }

  /** In a commit that waits for the disk. */
  #forget(ids: readonly number[]): void {
    this.#postgres.forget(new Set(ids))
    this.#postgres.flush()
  }

  #ask<T>(what: string, execute: () => T): Promise<T> {
    const { checker, requests } = current()
    const feed: Process = this.#world.acting
    return new Promise<T>((resolve, reject) => {
      let isOver = false
      const settle = (run: () => void) => {
        if (isOver) return
        isOver = true
        end()
        clearTimeout(timer)
        this.#world.answer(feed, `is answered: ${what}`, () => {
          checker.speaking = null
          run()
        })
      }
      const end = requests.begin({ from: feed, fail: (error) => settle(() => reject(error)) })
      const late = () => settle(() => reject(new Error('The database does not answer.')))
      const timer = setTimeout(late, QUERY_TIMEOUT_MS)
      this.#world.send(this.#postgres.process, `the feed ${what}`, () => {
        const value = execute()
        settle(() => resolve(value))
      })
    })
  }
}

type Look = { source: string; feed: string | null; term: number; owed: OwedChange[]; more: boolean }
