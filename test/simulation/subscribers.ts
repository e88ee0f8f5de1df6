import { type Connection, connectOn } from '../../client/sdk/connect.ts'
import { type Live, liveOn } from '../../client/sdk/live.ts'
import type { Platform } from '../../client/sdk/platform.ts'
import type { Change } from '../../protocol/change.ts'
import type { Position } from '../../protocol/position.ts'
import { EVERY_TABLE } from '../../protocol/scope.ts'
import type { Subscription } from '../../protocol/subscription.ts'
import type { Checker } from './checker.ts'
import type { Postgres, Row } from './postgres.ts'
import { ClientSocket } from './sockets.ts'
import { Process, type World } from './world.ts'

/**
 * Somebody who follows the feed with the real SDK, and writes down what it is told. After each of
 * its steps it must have been handed exactly what lies between its positions and matches.
 */
export class Subscriber {
  readonly process: Process
  readonly connection: Connection
  readonly subscription: Subscription
  readonly #world: World
  readonly #checker: Checker
  readonly #postgres: Postgres
  readonly #live: Live<Row> | null
  #position: Position | null = null
  #handed: number[] = []

  constructor(world: World, checker: Checker, postgres: Postgres, options: SubscriberOptions) {
    this.#world = world
    this.#checker = checker
    this.#postgres = postgres
    this.process = new Process(options.name)
    this.process.acks = options.acks
    this.subscription = {
      where: {},
      scope: EVERY_TABLE,
      ...(options.table && { table: options.table }),
    }
    const { filter } = options
    if (filter !== null) this.subscription.where = { value: filter }
    world.acting = this.process
    const platform = this.#platform()
    const onChange = (change: Change) => this.#handed.push(change.offset)
    const url = 'http://belfry.test'
    if (options.kind === 'live') {
      this.#live = liveOn<Row>(platform, {
        url,
        table: options.table ?? 'orders',
        ...(options.versioned && { version: 'version' }),
        snapshot: () => this.#snapshot(),
        onChange: (change) => void onChange(change),
      })
      this.connection = this.#live.connection
    } else {
      this.#live = null
      this.connection = connectOn(platform, {
        url,
        ...(options.table && { table: options.table }),
        ...(filter !== null && { filter: { value: filter } }),
        ...(options.from && { position: options.from }),
        onChange,
      })
    }
  }

  /** Whether it has, for all that it can know, everything. */
  get isCurrent(): boolean {
    const position = this.connection.position
    if (position === null || this.connection.state.state !== 'live') return false
    if (position.epoch !== this.#checker.epoch) return false
    const { head } = this.#checker
    if (this.#checker.owed(this.subscription, position.epoch, position.offset, head).length > 0)
      return false
    return this.#live === null || this.#live.freshness.state === 'current'
  }

  /** What it shows, against what is: for the end, when all is quiet. */
  compareRows(): void {
    if (this.#live === null) return
    const table = this.subscription.table ?? 'orders'
    const shown = [...this.#live.rows().values()].map((row) => JSON.stringify(row)).sort()
    const real = this.#postgres
      .rowsOf(table)
      .map((row) => JSON.stringify(row))
      .sort()
    if (shown.join() !== real.join())
      this.#world.violated(
        `${this.process.name} shows ${shown.join()}, and ${table} is ${real.join()}`,
      )
  }

  /** After each step of its own. */
  check(): void {
    const { position } = this.connection
    const before = this.#position
    const handed = this.#handed
    if (position === before && handed.length === 0) return
    this.#position = position
    this.#handed = []
    const { wasReset } = this.process
    this.process.wasReset = false
    if (position === null) return
    if (wasReset || before === null || before.epoch !== position.epoch)
      return this.#jumped(before, position, handed)
    if (position.offset < before.offset)
      return this.#say(`went back from ${before.offset} to ${position.offset}`)
    const owed = this.#checker.owed(
      this.subscription,
      position.epoch,
      before.offset,
      position.offset,
    )
    if (owed.join() !== handed.join())
      this.#say(
        `(${before.offset}, ${position.offset}] is ${owed.join()}, and it was handed ${handed.join()}`,
      )
  }

  #jumped(before: Position | null, position: Position, handed: number[]): void {
    if (position.offset > this.#checker.head && position.epoch === this.#checker.epoch)
      this.#say(`stands at ${position.offset}, and the feed at ${this.#checker.head}`)
    if (handed.length > 0) this.#say(`was handed ${handed.join()} together with a jump`)
    if (before === null) return
    this.#world.reach('a reset')
    const served = before.epoch === this.#checker.epoch && before.offset >= this.#checker.tail
    if (served && position.epoch === before.epoch) this.#world.reach('a reset without need')
  }

  #say(what: string): void {
    this.#world.violated(`P32 ${this.process.name} ${what}`)
  }

  /** Each row read at a moment of its own, as from several pages. */
  async #snapshot(): Promise<Row[]> {
    const { process } = this
    const world = this.#world
    return new Promise((resolve, reject) => {
      world.send(this.#postgres.process, `${process.name} reads a snapshot`, () => {
        const rows = this.#postgres.rowsOf(this.subscription.table ?? 'orders')
        const lost = world.random.chance(0.1)
        world.answer(process, lost ? 'the snapshot fails' : 'the snapshot is there', () => {
          if (lost) reject(new Error('no snapshot'))
          else resolve(rows)
        })
      })
    })
  }

  #platform(): Platform {
    const world = this.#world
    return {
      WebSocket: ClientSocket,
      inflate: null,
      now: () => world.now,
      stopwatch: () => world.now,
      random: () => world.random.next(),
      timer: (ms, run) => {
        const id = world.setTimer(run, ms, null)
        return () => world.clearTimer(id)
      },
      onReturn: () => () => undefined,
      report: (error) => world.violated(`${this.process.name} threw ${String(error)}`),
    }
  }
}

export type SubscriberOptions = {
  name: string
  kind: 'changes' | 'live'
  table: string | null
  filter: string | null
  from: Position | null
  versioned: boolean
  acks: Process['acks']
}
