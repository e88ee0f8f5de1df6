import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Chance } from './chance.ts'
import type { Kind } from './kind.ts'
import { kinds } from './transactions.ts'

/** How often, by kind; what failed (deadlock, lock timeout, server gone) is Postgres' to settle. */
export type Tally = {
  committed: number
  rolledBack: number
  failed: number
  kinds: Map<string, number>
  /** By SQLSTATE, or the network's code. */
  failures: Map<string, number>
}

/**
 * Writers that go on until told to stop. They keep no record of what they committed: when the
 * server dies during COMMIT nobody can know, and the audit in the same transaction does.
 */
export class Writers {
  readonly #url: string
  readonly #chance: Chance
  readonly #stop = new AbortController()
  #loops: Promise<void>[] = []
  readonly tally: Tally = {
    committed: 0,
    rolledBack: 0,
    failed: 0,
    kinds: new Map(),
    failures: new Map(),
  }

  constructor(url: string, chance: Chance) {
    this.#url = url
    this.#chance = chance
  }

  start(count: number): void {
    this.#loops = Array.from({ length: count }, (_, n) =>
      this.#write(this.#chance.of(`writer ${n}`)),
    )
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#loops)
  }

  async #write(chance: Chance): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const sql = new pg.Client({
        connectionString: this.#url,
        connectionTimeoutMillis: 3_000,
        query_timeout: 15_000,
        application_name: 'faults writer',
      })
      sql.on('error', () => undefined)
      try {
        await sql.connect()
        await sql.query("SET lock_timeout = '3s'; SET statement_timeout = '10s'")
        while (!this.#stop.signal.aborted) {
          await this.#transact(sql, chance)
          await delay(chance.whole(0, 40))
        }
      } catch {
        await delay(200)
      } finally {
        await Promise.race([sql.end().catch(() => undefined), delay(500)])
      }
    }
  }

  /** @throws when the connection is of no more use */
  async #transact(sql: pg.Client, chance: Chance): Promise<void> {
    const kind: Kind = chance.pickByWeight(kinds)
    try {
      await sql.query('BEGIN')
      const end = await kind.run(sql, chance)
      await sql.query(end === 'commit' ? 'COMMIT' : 'ROLLBACK')
      if (end === 'commit') this.tally.committed++
      else this.tally.rolledBack++
      this.tally.kinds.set(kind.name, (this.tally.kinds.get(kind.name) ?? 0) + 1)
    } catch (error) {
      this.tally.failed++
      const code = (error as { code?: string }).code ?? 'no answer'
      this.tally.failures.set(code, (this.tally.failures.get(code) ?? 0) + 1)
      await sql.query('ROLLBACK')
    }
  }
}
