import { faultsNeeded, type Mutation } from './mutations.ts'
import type { Reachable } from './reach.ts'
import { Simulation } from './simulation.ts'

export type Result = {
  violation: string | null
  steps: number
  reached: ReadonlySet<Reachable>
  trace: string[]
}

export type ScheduleOptions = {
  seed: number
  broken: Mutation | null
  /** Write every step down. */
  trace?: boolean
  /** So many steps, and the faults stop: for finding the shortest prefix that fails. */
  prefix?: number
}

const BOOT_STEPS = 120
const CALM_STEPS = 6_000
/** One in so many schedules runs the real log over a SQLite. */
const SQLITE_EVERY = 16

/**
 * One schedule: everything is started, then anybody may act in any order, with faults, for some
 * steps; then the faults stop, and all must come to rest with nothing owed.
 */
export function runSchedule({ seed, broken, trace = false, prefix }: ScheduleOptions): Result {
  const sqlite = broken === null && seed % SQLITE_EVERY === 0
  const simulation = new Simulation(seed, { broken, trace, sqlite })
  new Schedule(simulation).run(prefix ?? Number.POSITIVE_INFINITY)
  const { violation, step: steps, reached, trace: lines } = simulation.world
  return { violation, steps, reached, trace: lines ?? [] }
}

class Schedule {
  readonly #simulation: Simulation
  readonly #faults: Fault[]
  readonly #weights: { writer: number; clock: number; fault: number }

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    const { random } = simulation.world
    const needed = faultsNeeded(simulation.world.broken)
    const isNeeded = (kind: string) => needed.includes(kind)
    // Each schedule has its own kinds of trouble, so that no kind drowns the others.
    const { crashPostgres, beginLife, ...others } = faults
    // Not both: see beginLife.
    const kinds = Object.entries(
      random.chance(0.7) && !isNeeded('beginLife')
        ? { ...others, crashPostgres }
        : { ...others, beginLife },
    )
    this.#faults = kinds
      .filter(([kind]) => random.chance(0.4) || isNeeded(kind))
      .map(([, fault]) => fault)
    this.#weights = {
      writer: random.one([0.1, 0.2, 0.4]),
      clock: random.one([0.05, 0.15]),
      fault: this.#faults.length === 0 ? 0 : random.one([0.01, 0.03, 0.1]),
    }
  }

  run(maxSteps: number): void {
    const simulation = this.#simulation
    const { world } = simulation
    const { random } = world
    if (random.chance(0.95)) simulation.startListener()
    if (random.chance(0.5)) simulation.startListener()
    // Without subscribers more of the steps are the listeners', and they are quicker.
    const subscribers = random.one([0, 0, 1, 2, 3])
    for (let n = 0; n < subscribers; n++) simulation.addSubscriber()
    if (random.chance(0.9)) this.#boot()
    // A leader that found nothing for so long is about to lie down.
    if (random.chance(0.5)) world.now += 500
    const steps = Math.min(maxSteps, random.one([30, 60, 120]))
    for (let n = 0; n < steps && world.violation === null; n++) this.#step()
    if (world.violation === null) this.#calmDown()
  }

  /** Until somebody leads and everyone listens: most of what matters comes after. */
  #boot(): void {
    const { listeners, subscribers } = this.#simulation
    for (let n = 0; n < BOOT_STEPS; n++) {
      const ready =
        listeners.some(({ bell }) => bell !== null) &&
        subscribers.every(({ connection }) => connection.state.state === 'live')
      if (ready || !this.#goOn()) return
    }
  }

  #step(): void {
    const simulation = this.#simulation
    const { random } = simulation.world
    const { writer, clock, fault } = this.#weights
    const chance = random.next()
    if (chance < fault) random.one(this.#faults)(simulation)
    else if (chance < fault + writer) random.one(simulation.writers).step(false) || this.#goOn()
    else if (chance < fault + writer + clock) this.#passTime()
    else this.#goOn()
    this.#check()
  }

  /** @returns false if nothing can happen any more */
  #goOn(): boolean {
    const { world, objects } = this.#simulation
    if (world.random.chance(0.7) ? world.arrive() || world.fire() : world.fire() || world.arrive())
      return true
    if (objects.some((object) => object.ring())) return true
    return this.#toNextTimer()
  }

  #passTime(): void {
    const { world } = this.#simulation
    if (world.random.chance(0.5)) this.#toNextTimer()
    else world.now += world.random.one([1, 5, 30, 200, 600, 2_000, 6_000, 20_000])
  }

  #toNextTimer(): boolean {
    const { world, objects } = this.#simulation
    let next = world.nextTimerAt
    for (const { alarm } of objects)
      if (alarm !== null && (next === null || alarm < next)) next = alarm
    if (next === null) return false
    world.now = Math.max(world.now, next)
    return true
  }

  #check(): void {
    this.#simulation.check()
  }

  #calmDown(): void {
    const simulation = this.#simulation
    const { world, writers } = simulation
    world.note('--- the faults stop ---')
    simulation.mend()
    for (let n = 0; n < CALM_STEPS && world.violation === null; n++) {
      simulation.keepListening()
      if (simulation.isAtRest) return simulation.checkEnd()
      const open = writers.filter(({ isOpen }) => isOpen)
      if (open.length > 0 && world.random.chance(0.3)) world.random.one(open).step(true)
      else if (!this.#goOn()) break
      this.#check()
    }
    if (world.violation === null) world.violated(`nothing came to rest: ${simulation.unrest}`)
  }
}

type Fault = (simulation: Simulation) => void

const faults = {
  kill(simulation: Simulation) {
    const { random } = simulation.world
    const listener = random.one(simulation.listeners)
    if (!listener?.process.alive) return
    simulation.world.reach(listener.leads ? 'a leader killed' : 'a standby killed')
    listener.kill()
  },
  start(simulation: Simulation) {
    if (simulation.listeners.filter(({ process }) => process.alive).length < 2)
      simulation.startListener()
  },
  stop(simulation: Simulation) {
    const listener = simulation.world.random.one(simulation.listeners)
    if (!listener?.process.runs) return
    simulation.world.reach('a listener asked to stop')
    listener.stop()
  },
  freeze({ listeners, world }: Simulation) {
    if (listeners.length === 0) return
    const { process, leads } = world.random.one(listeners)
    process.frozen = !process.frozen
    world.note(`${process.name} ${process.frozen ? 'freezes' : 'thaws'}`)
    if (process.frozen && leads) world.reach('a leader frozen')
  },
  loseSession({ postgres, world }: Simulation) {
    if (postgres.sessions.length === 0) return
    world.note('a session is terminated')
    postgres.endSession(world.random.one(postgres.sessions))
  },
  crashPostgres({ postgres, world }: Simulation) {
    world.note('Postgres crashes')
    world.reach('Postgres crashed')
    postgres.crash()
  },
  flush({ postgres }: Simulation) {
    postgres.flush()
  },
  cut({ sockets, world }: Simulation) {
    const { random } = world
    const open = sockets.filter(({ readyState }) => readyState === 1)
    if (open.length === 0) return
    const socket = random.one(open)
    const ends = { client: random.chance(0.6), server: random.chance(0.6) }
    world.note(`${socket.id} is cut`)
    world.reach(ends.client && ends.server ? 'a socket cut' : 'a socket half open')
    socket.cut(ends)
  },
  stall({ sockets, world }: Simulation) {
    const { random } = world
    const open = sockets.filter(({ readyState }) => readyState !== 3)
    const links = open.filter(({ state }) => state?.term !== undefined)
    const from = links.length > 0 && random.chance(0.5) ? links : open
    if (from.length === 0) return
    const socket = random.one(from)
    world.note(`${socket.id} stalls`)
    world.reach('a socket stalled')
    socket.stall(true)
  },
  hibernate({ objects, world }: Simulation) {
    if (world.random.one(objects).hibernate()) world.reach('an object hibernated')
  },
  crashObject({ objects, world }: Simulation) {
    const object = world.random.one(objects)
    world.note(`${object.name} is reset`)
    world.reach('an object reset')
    object.crash()
  },
  loseCall({ objects, world }: Simulation) {
    if (world.random.one(objects).loseCall()) world.reach('a call between objects lost')
  },
  loseRequest({ requests, world }: Simulation) {
    if (requests.lose()) world.reach('a request of the feed lost')
  },
  prune(simulation: Simulation) {
    if (simulation.prune()) simulation.world.reach('pruned')
  },
  /**
   * A crash of Postgres that undoes a delete of the life before would bring that change back
   * after later ones: so rare that it is left to the person who resets the feed.
   */
  beginLife({ feed, world }: Simulation) {
    if (!world.random.chance(0.2)) return
    world.reach('a new life of the feed')
    world.act(feed.process, 'an admin resets the feed', () => void feed.instance.beginLife())
  },
}
