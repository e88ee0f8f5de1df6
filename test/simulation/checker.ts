import { CANARY_TABLE } from '../../protocol/canary.ts'
import type { Change } from '../../protocol/change.ts'
import { matches, type Subscription } from '../../protocol/subscription.ts'
import { type OutboxRow, rowName } from './postgres.ts'
import type { World } from './world.ts'

/**
 * What really happened, and whether the promises were kept at each step. It sees what no part of
 * the product sees: which transactions committed, and every append.
 */
export class Checker {
  readonly #world: World
  /** Committed changes that must be heard: which row, and the how-manieth change of it. */
  readonly #committed = new Map<string, { row: string; place: number }>()
  readonly #changesOf = new Map<string, number>()
  readonly #appendedOf = new Map<string, number>()
  readonly #everAppended = new Set<string>()
  readonly #appended = new Set<string>()
  /** Each life of the feed: its changes, the first at index 0. */
  readonly lives: Change[][] = []
  #highestTerm = 0
  #highestTaken = 0
  /** Terms that a drain has put out. */
  #supersededTerm = 0
  /** Until where the log was pruned. */
  tail = 0
  /** The term of the link whose message is being handled. */
  speaking: number | null = null

  constructor(world: World) {
    this.#world = world
  }

  get head(): number {
    return this.#life.length
  }

  get epoch(): string {
    return epochOf(this.lives.length)
  }

  hasAppended(change: string): boolean {
    return this.#everAppended.has(change)
  }

  // --- Postgres ----------------------------------------------------------------------------------

  committed(rows: readonly OutboxRow[]): void {
    for (const row of rows) {
      const name = rowName(row)
      const place = (this.#changesOf.get(name) ?? 0) + 1
      this.#changesOf.set(name, place)
      this.#committed.set(row.change, { row: name, place })
    }
  }

  forgotten(rows: readonly OutboxRow[]): void {
    for (const { id, change, table } of rows)
      if (!this.#everAppended.has(change) && table !== CANARY_TABLE)
        this.#world.violated(`P10 outbox row ${id} was deleted and never appended`)
  }

  termTaken(term: number): void {
    if (term <= this.#highestTaken)
      this.#world.violated(`P13 term ${term} was taken again, after ${this.#highestTaken}`)
    this.#highestTaken = Math.max(this.#highestTaken, term)
  }

  // --- the feed ----------------------------------------------------------------------------------

  /** @returns its epoch */
  beginLife(): string {
    this.lives.push([])
    this.#highestTerm = 0
    this.#supersededTerm = 0
    this.tail = 0
    this.#appended.clear()
    this.#appendedOf.clear()
    return this.epoch
  }

  /** Who has one of these terms must not append, however late it comes with what it has read. */
  superseded(through: number): void {
    this.#supersededTerm = Math.max(this.#supersededTerm, through)
  }

  maySpeak(term: number): boolean {
    return term > this.#supersededTerm
  }

  admitted(term: number): void {
    this.#highestTerm = Math.max(this.#highestTerm, term)
  }

  appended(changes: readonly Change[]): void {
    const { speaking } = this
    if (speaking !== null && speaking < this.#highestTerm)
      this.#world.violated(`P21 term ${speaking} appended after term ${this.#highestTerm}`)
    for (const change of changes) this.#append(change)
  }

  #append(change: Change): void {
    const { id, offset } = change
    const life = this.#life
    if (offset !== life.length + 1)
      this.#world.violated(`the feed went from offset ${life.length} to ${offset}`)
    life.push(change)
    if (change.table === CANARY_TABLE)
      return this.#world.violated(`P70 a beat of the canary has offset ${offset}`)
    const committed = this.#committed.get(id)
    if (committed === undefined)
      return this.#world.violated(`P1 change ${id} was never committed, and has offset ${offset}`)
    if (this.#appended.has(id))
      return this.#world.violated(`P1 change ${id} has a second offset, ${offset}`)
    this.#appended.add(id)
    this.#everAppended.add(id)
    const { row, place } = committed
    const before = this.#appendedOf.get(row) ?? 0
    // What an earlier life had is not owed to this one.
    if (this.lives.length === 1 ? place !== before + 1 : place <= before)
      this.#world.violated(`P2 change ${place} of ${row} came after change ${before}`)
    this.#appendedOf.set(row, place)
  }

  // --- subscribers -------------------------------------------------------------------------------

  /** What a subscription is owed of (after, through]. */
  owed(subscription: Subscription, epoch: string, after: number, through: number): number[] {
    const life = this.lives[Number(epoch.slice(4)) - 1] ?? []
    if (through > life.length)
      this.#world.violated(`a frame goes to offset ${through}, and the feed to ${life.length}`)
    return life
      .slice(after, through)
      .filter((change) => matches(subscription, change))
      .map(({ offset }) => offset)
  }

  get #life(): Change[] {
    return this.lives[this.lives.length - 1] as Change[]
  }
}

function epochOf(life: number): string {
  return `life${life}`
}
