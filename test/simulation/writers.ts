import { type Postgres, type Row, rowName, type Transaction, type Write } from './postgres.ts'
import type { World } from './world.ts'

const TABLES = ['orders', 'stock']
const KEYS = 3

/**
 * Somebody who writes: statements of one or more rows, each followed by the reading of the bell,
 * then commit or rollback, with anything in between, and for as long as the schedule likes.
 */
export class Writer {
  readonly #world: World
  readonly #postgres: Postgres
  readonly #name: string
  #transaction: Transaction | null = null
  /** Its transaction stays open for long. */
  #slow = false

  constructor(world: World, postgres: Postgres, name: string) {
    this.#world = world
    this.#postgres = postgres
    this.#name = name
  }

  get isOpen(): boolean {
    return this.#transaction !== null
  }

  /**
   * @param ending only what brings its transaction to an end
   * @returns false if it takes its time
   */
  step(ending: boolean): boolean {
    const { random } = this.#world
    const transaction = this.#current()
    if (this.#slow && !ending && transaction && !transaction.unread && random.chance(0.9))
      return false
    this.#act(transaction, ending)
    return true
  }

  #act(transaction: Transaction | null, ending: boolean): void {
    const { random } = this.#world
    if (transaction === null) {
      if (!ending) this.#do('begins', () => this.#begin())
    } else if (transaction.unread) {
      if (!ending && random.chance(0.3)) this.#write(transaction)
      else
        this.#do('ends a statement and reads the bell', () => this.#postgres.readBell(transaction))
    } else if (transaction.rows.length === 0 || (!ending && random.chance(0.25))) {
      if (ending) this.#rollBack(transaction)
      else this.#write(transaction)
    } else if (random.chance(0.15)) this.#rollBack(transaction)
    else this.#do('commits', () => this.#end(() => this.#postgres.commit(transaction)))
  }

  /** A crash of Postgres takes it away. */
  #current(): Transaction | null {
    if (this.#transaction && !this.#postgres.running.includes(this.#transaction))
      this.#transaction = null
    return this.#transaction
  }

  #begin(): void {
    const transaction = this.#postgres.begin()
    this.#transaction = transaction
    this.#slow = this.#world.random.chance(0.3)
    if (this.#world.random.chance(0.8)) this.#write(transaction)
  }

  #rollBack(transaction: Transaction): void {
    const { random } = this.#world
    if (transaction.rows.length > 1 && random.chance(0.3)) {
      this.#do('rolls back to a savepoint', () => transaction.rows.pop())
      return
    }
    this.#world.reach('a rollback')
    this.#do('rolls back', () => this.#end(() => this.#postgres.end(transaction)))
  }

  #end(how: () => void): void {
    how()
    this.#transaction = null
  }

  #write(transaction: Transaction): void {
    const { random } = this.#world
    const table = random.one(TABLES)
    const key = 1 + random.below(KEYS)
    const name = rowName({ table, key })
    const holder = this.#postgres.locks.get(name)
    // It would wait for the lock: somebody else acts first.
    if (holder !== undefined && holder !== transaction) return
    this.#do(`writes ${name}`, () => {
      this.#postgres.locks.set(name, transaction)
      transaction.locks.push(name)
      this.#postgres.write(
        transaction,
        change(this.#rowSeenBy(transaction, name), table, key, random.next()),
      )
    })
  }

  #rowSeenBy(transaction: Transaction, name: string): Row | null {
    const own = transaction.rows.findLast((row) => rowName(row) === name)
    return own ? own.new : (this.#postgres.rows.get(name) ?? null)
  }

  #do(what: string, run: () => void): void {
    this.#world.act(this.#postgres.process, `${this.#name} ${what}`, run)
  }
}

function change(old: Row | null, table: string, key: number, chance: number): Write {
  if (old === null) {
    const row = { id: key, value: Math.floor(chance * 2), version: Math.floor(chance * 1000) }
    return { table, key, op: 'insert', old, new: row }
  }
  if (chance < 0.25) return { table, key, op: 'delete', old, new: null }
  const row = { id: key, value: Math.floor(chance * 2), version: old.version + 1 }
  return { table, key, op: 'update', old, new: row }
}
