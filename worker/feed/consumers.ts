import type { Change } from '../../protocol/change.ts'
import type { Position } from '../../protocol/position.ts'
import {
  afterFailure,
  afterSuccess,
  type Consumer,
  type ConsumerReport,
  type ConsumerState,
  MAX_ATTEMPTS,
  Unready,
  whileUnready,
} from './consumer.ts'
import { Parked } from './parked.ts'

/** Runs the feed's durable consumers; the decisions are in consumer.ts. */
export class Consumers {
  readonly parked: Parked
  readonly #sql: SqlStorage
  readonly #consumers: readonly Consumer[]
  readonly #read: (after: number, single: boolean) => Change[]
  readonly #epoch: () => string
  readonly #running = new Set<string>()

  /**
   * @param read the changes after an offset, only the next one if `single`; empty at the head
   * @param epoch the one they belong to
   * @param head where a consumer begins that was never here before: what it would have made of the
   *   changes before it, under rules of today, nobody is owed
   */
  constructor(
    sql: SqlStorage,
    consumers: readonly Consumer[],
    read: (after: number, single: boolean) => Change[],
    epoch: () => string,
    head: number,
  ) {
    this.parked = new Parked(sql, epoch, MAX_ATTEMPTS)
    this.#sql = sql
    this.#consumers = consumers
    this.#read = read
    this.#epoch = epoch
    sql.exec(`
      CREATE TABLE IF NOT EXISTS consumers (
        name     TEXT PRIMARY KEY,
        "offset" INTEGER NOT NULL,
        trouble_through INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        retry_at INTEGER NOT NULL DEFAULT 0,
        error    TEXT
      ) WITHOUT ROWID;
    `)
    for (const { name } of consumers)
      sql.exec('INSERT OR IGNORE INTO consumers (name, "offset") VALUES (?, ?)', name, head)
  }

  /** Lets every consumer that may run take what there is; never throws. */
  async run(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => this.#drain(consumer)))
  }

  /** The smallest offset: the log must keep what follows it. */
  get slowest(): number {
    return this.#sql.exec('SELECT coalesce(min("offset"), 0) AS slowest FROM consumers').one()
      .slowest as number
  }

  /** When a consumer in trouble is to be tried again; null when none is. */
  get nextRetryAt(): number | null {
    return this.#sql.exec('SELECT min(retry_at) AS at FROM consumers WHERE retry_at > 0').one()
      .at as number | null
  }

  report(head: number): ConsumerReport[] {
    return this.#sql
      .exec<ConsumerReport>(
        `SELECT name, "offset", ? - "offset" AS behind, error,
                (SELECT count(*) FROM parked_changes WHERE consumer = name) AS parked
           FROM consumers ORDER BY name`,
        head,
      )
      .toArray()
  }

  /** A new life of the feed: everyone starts before its first change; what was parked stays. */
  restart(): void {
    this.#sql.exec(
      'UPDATE consumers SET "offset" = 0, trouble_through = NULL, attempts = 0, retry_at = 0, error = NULL',
    )
  }

  /** Hands a parked change to its consumer once more; what comes of it is the answer. */
  async redrive(name: string, position: Position): Promise<Redriven> {
    const parked = this.parked.get(name, position)
    const consumer = this.#consumers.find((each) => each.name === name)
    if (!parked || !consumer) return { outcome: 'missing' }
    try {
      const handover = { epoch: this.#epoch(), redriven: true }
      await consumer.handle([JSON.parse(parked.change) as Change], handover)
      this.parked.remove(name, position)
      return { outcome: 'handled' }
    } catch (failure) {
      const error = messageOf(failure)
      const attempts = parked.attempts + (failure instanceof Unready ? 0 : 1)
      // Unless somebody dropped it meanwhile.
      if (this.parked.get(name, position)) this.parked.put({ ...parked, attempts, error })
      return { outcome: 'failed', attempts, error }
    }
  }

  async #drain(consumer: Consumer): Promise<void> {
    if (this.#running.has(consumer.name)) return
    this.#running.add(consumer.name)
    try {
      for (;;) {
        const state = this.#load(consumer.name)
        if (state.trouble && state.trouble.retryAt > Date.now()) return
        const single = state.trouble !== null
        const changes = this.#read(state.offset, single)
        const last = changes.at(-1)
        if (!last) return
        await this.#handle(consumer, state, changes, last)
      }
    } finally {
      this.#running.delete(consumer.name)
    }
  }

  async #handle(
    consumer: Consumer,
    state: ConsumerState,
    changes: Change[],
    last: Change,
  ): Promise<void> {
    const attempt = { through: last.offset, count: changes.length }
    const epoch = this.#epoch()
    try {
      await consumer.handle(changes, { epoch, redriven: false })
      if (this.#epoch() === epoch) this.#save(consumer.name, afterSuccess(state, attempt))
    } catch (failure) {
      // A new life began meanwhile: what came of the old one's changes does not matter.
      if (this.#epoch() !== epoch) return
      const error = messageOf(failure)
      const facts = { error, now: Date.now(), random: Math.random() }
      const verdict =
        failure instanceof Unready
          ? { kind: 'wait' as const, state: whileUnready(state, facts) }
          : afterFailure(state, attempt, facts)
      if (verdict.kind === 'park')
        this.parked.put({
          consumer: consumer.name,
          epoch: this.#epoch(),
          offset: last.offset,
          attempts: MAX_ATTEMPTS,
          error,
          change: JSON.stringify(last),
        })
      this.#save(consumer.name, verdict.state)
      console.warn(
        JSON.stringify({
          message: `a consumer failed: ${verdict.kind}`,
          consumer: consumer.name,
          offset: state.offset,
          error,
        }),
      )
    }
  }

  #load(name: string): ConsumerState {
    const row = this.#sql.exec<StateRow>('SELECT * FROM consumers WHERE name = ?', name).one()
    if (row.trouble_through === null) return { offset: row.offset, trouble: null }
    const { offset, trouble_through: through, attempts, retry_at: retryAt, error } = row
    return { offset, trouble: { through, attempts, retryAt, error } }
  }

  #save(name: string, { offset, trouble }: ConsumerState): void {
    this.#sql.exec(
      `UPDATE consumers SET "offset" = ?, trouble_through = ?, attempts = ?, retry_at = ?, error = ?
        WHERE name = ?`,
      offset,
      trouble?.through ?? null,
      trouble?.attempts ?? 0,
      trouble?.retryAt ?? 0,
      trouble?.error ?? null,
      name,
    )
  }
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}

type StateRow = {
  offset: number
  trouble_through: number | null
  attempts: number
  retry_at: number
  error: string | null
}

/** `missing`: nothing is parked there, or its consumer is no more. */
export type Redriven =
  | { outcome: 'handled' }
  | { outcome: 'failed'; attempts: number; error: string }
  | { outcome: 'missing' }
