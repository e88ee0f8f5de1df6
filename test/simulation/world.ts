import { runMicrotasks } from './microtasks.ts'
import type { Mutation } from './mutations.ts'
import { Random } from './random.ts'
import type { Reachable } from './reach.ts'

/**
 * The clock, the network and the dice, in the schedule's hand.
 *
 * Whatever happens is one of three things: something that is under way arrives, a timer is due,
 * or somebody outside (a writer, a fault) acts. Each is one step: it runs in one process, with
 * everything that this process does about it, before the next is picked. Nothing is ordered
 * except by the streams that say so (sockets.ts).
 */
export class World {
  /** Milliseconds since 1970. */
  now = 1_800_000_000_000
  readonly random: Random
  readonly broken: Mutation | null
  /** Whose code is running: timers and sockets belong to it. */
  acting: Process = NOBODY
  readonly timers: Timer[] = []
  readonly underWay: Arrival[] = []
  readonly reached = new Set<Reachable>()
  readonly trace: string[] | null
  /** The first promise that was broken. */
  violation: string | null = null
  step = 0
  #timerId = 0
  #next: Arrival | null = null
  #started: number

  constructor(seed: number, options: WorldOptions) {
    this.random = new Random(seed)
    this.broken = options.broken
    this.trace = options.trace ? [] : null
    this.#started = this.now
  }

  /** Something sets out; it arrives when the schedule says so, if `to` still lives then. */
  send(to: Process, label: string, run: () => void, way: Way = OPEN_WAY): void {
    this.underWay.push({ to, label, run, way, isAnswer: false })
  }

  /** As `send`, but often nothing comes in between: most schedules need no such pause. */
  answer(to: Process, label: string, run: () => void): void {
    if (this.#next === null && this.random.chance(0.6))
      this.#next = { to, label, run, way: OPEN_WAY, isAnswer: true }
    else this.#sendAnswer(to, label, run)
  }

  /** Whether it waits for an answer that is on its way. */
  isAnswered(process: Process): boolean {
    return this.underWay.some(({ to, isAnswer }) => isAnswer && to === process)
  }

  #sendAnswer(to: Process, label: string, run: () => void): void {
    this.underWay.push({ to, label, run, way: OPEN_WAY, isAnswer: true })
  }

  /** One step: `run` in that process, and all that follows from it there. */
  act(process: Process, label: string, run: () => void): void {
    this.step++
    this.trace?.push(`${this.#time()} ${process.name.padEnd(10)} ${label}`)
    this.acting = process
    run()
    runMicrotasks()
    this.acting = NOBODY
  }

  note(line: string): void {
    this.trace?.push(`${' '.repeat(24)}· ${line}`)
  }

  /** Something worth reaching, counted over all schedules. */
  reach(what: Reachable): void {
    this.reached.add(what)
  }

  violated(promise: string): void {
    if (this.violation !== null) return
    this.violation = promise
    this.note(`VIOLATED: ${promise}`)
  }

  // --- timers ----------------------------------------------------------------------------------

  setTimer(run: () => void, ms: number, every: number | null): number {
    const id = ++this.#timerId
    const { acting: process, now } = this
    this.timers.push({ id, at: now + Math.max(0, ms || 0), every, process, run })
    return id
  }

  clearTimer(id: number): void {
    const index = this.timers.findIndex((timer) => timer.id === id)
    if (index >= 0) drop(this.timers, index)
  }

  /** The soonest moment at which a timer of a process that runs is due. */
  get nextTimerAt(): number | null {
    let next: number | null = null
    for (const { at, process } of this.timers)
      if (process.runs && (next === null || at < next)) next = at
    return next
  }

  // --- what the schedule picks -------------------------------------------------------------------

  /** @returns false if nothing that is under way can arrive anywhere */
  arrive(): boolean {
    const { underWay } = this
    while (underWay.length > 0) {
      const from = this.random.below(underWay.length)
      for (let turn = 0; turn < underWay.length; turn++) {
        const index = (from + turn) % underWay.length
        const { to, label, run, way } = underWay[index] as Arrival
        if (!to.alive) {
          drop(underWay, index)
          break
        }
        if (!to.runs || way.stalled) {
          if (turn === underWay.length - 1) return false
          continue
        }
        drop(underWay, index)
        this.act(to, label, run)
        this.#follow()
        return true
      }
    }
    return false
  }

  #follow(): void {
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null
      if (next.to.runs) this.act(next.to, next.label, next.run)
      else this.#sendAnswer(next.to, next.label, next.run)
    }
  }

  /** @returns false if no timer is due */
  fire(): boolean {
    const { timers, now } = this
    const from = timers.length === 0 ? 0 : this.random.below(timers.length)
    for (let turn = 0; turn < timers.length; turn++) {
      const index = (from + turn) % timers.length
      const timer = timers[index] as Timer
      if (timer.at > now || !timer.process.runs) continue
      if (timer.every === null) drop(timers, index)
      else timer.at = now + timer.every
      this.act(timer.process, 'timer', timer.run)
      this.#follow()
      return true
    }
    return false
  }

  /** The end of a process: its timers and what was on its way to it are gone. */
  end(process: Process): void {
    process.alive = false
    for (let index = this.timers.length - 1; index >= 0; index--)
      if (this.timers[index]?.process === process) drop(this.timers, index)
  }

  #time(): string {
    const ms = String(this.now - this.#started).padStart(8)
    return `${String(this.step).padStart(5)} ${ms} ms`
  }
}

/** Something that runs, stands still or is gone: a listener, an object, a subscriber, Postgres. */
export class Process {
  readonly name: string
  alive = true
  frozen = false
  /** Heard a reset frame, and has not been asked about it. */
  wasReset = false
  /** How it acknowledges: as the SDK does, or it does not ask to, or it asks and then does not. */
  acks: 'says' | 'silent' | 'mute' = 'says'

  constructor(name: string) {
    this.name = name
  }

  get runs(): boolean {
    return this.alive && !this.frozen
  }
}

const OPEN_WAY: Way = { stalled: false }
const NOBODY = new Process('nobody')

export type WorldOptions = { broken: Mutation | null; trace: boolean }

type Timer = { id: number; at: number; every: number | null; process: Process; run: () => void }
type Arrival = { to: Process; label: string; run: () => void; way: Way; isAnswer: boolean }

/** What is on a stalled way arrives later, and is not lost. */
export type Way = { stalled: boolean }

/** Removes one; the order of the rest does not matter. */
export function drop<T>(list: T[], index: number): void {
  const last = list.pop() as T
  if (index < list.length) list[index] = last
}
