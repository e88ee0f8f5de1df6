import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { afterLook, awake, type BellState, dozing } from '../../listener/bell.ts'

/** Small, so that a look often leaves something behind. */
const MAX_BATCH = 2

/**
 * Writers and the listener as they stand towards each other in one Postgres, one small step at a
 * time, in any order: what P12 promises must hold in every one of them.
 *
 * Of Postgres it has what the bell is built on: ids given to transactions when they first write,
 * what a snapshot says of them, a bell that is read and set outside of snapshots, rows that are
 * seen once they are committed, and rings that are heard at the commit.
 */
class Postgres {
  bell: 'awake' | 'asleep' = 'awake'
  #nextId = 10n
  #newestEnded = 9n
  readonly #running = new Set<bigint>()
  readonly #uncommitted = new Map<bigint, number>()
  outbox = 0

  begin(): bigint {
    const id = this.#nextId++
    this.#running.add(id)
    return id
  }

  insert(id: bigint): void {
    this.#uncommitted.set(id, (this.#uncommitted.get(id) ?? 0) + 1)
  }

  end(id: bigint, how: 'commit' | 'rollback'): void {
    if (how === 'commit') this.outbox += this.#uncommitted.get(id) ?? 0
    this.#uncommitted.delete(id)
    this.#running.delete(id)
    if (id > this.#newestEnded) this.#newestEnded = id
  }

  /** One past the newest id that has ended. */
  get xmax(): bigint {
    return this.#newestEnded + 1n
  }

  /** The oldest id that runs, of those that the snapshot can know of. */
  get xmin(): bigint {
    let oldest = this.xmax
    for (const id of this.#running) if (id < oldest) oldest = id
    return oldest
  }
}

/** How the listener comes by its mark, once the bell is set. */
type Marker = (postgres: Postgres) => bigint

const ownId: Marker = (postgres) => {
  const id = postgres.begin()
  postgres.end(id, 'commit')
  return id
}

type Writer = { id: bigint | null; hasToRead: boolean; rings: boolean }

class World {
  readonly postgres = new Postgres()
  readonly #mark: Marker
  readonly #writers: Writer[] = [0, 1, 2, 3].map(() => ({
    id: null,
    hasToRead: false,
    rings: false,
  }))
  readonly #steps: Generator<void, never>
  now = 0
  rings = 0
  state: BellState = awake(0)
  #wait: { until: number } | null = null

  constructor(mark: Marker) {
    this.#mark = mark
    this.#steps = this.#listen()
  }

  /** A listener that waits for a ring, and nothing else, hears of all that is committed. */
  get isDeaf(): boolean {
    return (
      this.#wait !== null &&
      this.state.mode === 'asleep' &&
      this.rings === 0 &&
      this.postgres.outbox > 0
    )
  }

  step(who: number, chance: number): void {
    const writer = this.#writers[who - 1]
    if (writer) this.#write(writer, chance)
    else if (who === 0) this.#steps.next()
    else this.now += chance * 20
  }

  /** As the triggers do: first the row, then the bell; and the ring is heard at the commit. */
  #write(writer: Writer, chance: number): void {
    if (writer.id === null) {
      writer.id = this.postgres.begin()
    } else if (writer.hasToRead) {
      writer.hasToRead = false
      writer.rings ||= this.postgres.bell === 'asleep'
    } else if (chance < 5) {
      this.postgres.insert(writer.id)
      writer.hasToRead = true
    } else {
      const how = chance < 9 ? 'commit' : 'rollback'
      this.postgres.end(writer.id, how)
      if (how === 'commit' && writer.rings) this.rings++
      Object.assign(writer, { id: null, hasToRead: false, rings: false })
    }
  }

  /** As leader.ts does, with a pause wherever it asks something of Postgres. */
  *#listen(): Generator<void, never> {
    for (;;) {
      const rings = this.rings
      this.rings = 0
      yield
      const { outbox, xmin: oldestRunning } = this.postgres
      const rows = Math.min(outbox, MAX_BATCH)
      const more = outbox > rows
      yield
      this.postgres.outbox -= rows
      yield
      const decision = afterLook(this.state, { now: this.now, rows, more, rings, oldestRunning })
      this.state = decision.state
      if (decision.bell !== null) yield* this.#setBell(decision.bell)
      this.#wait = { until: this.now + decision.waitMs }
      while (this.rings === 0 && this.now < this.#wait.until) yield
      this.#wait = null
    }
  }

  /** Setting a sequence takes a transaction id before it takes effect. */
  *#setBell(how: 'lie down' | 'get up'): Generator<void> {
    const id = this.postgres.begin()
    yield
    this.postgres.bell = how === 'lie down' ? 'asleep' : 'awake'
    yield
    this.postgres.end(id, 'commit')
    yield
    if (how === 'lie down') this.state = dozing(this.#mark(this.postgres), this.now)
  }
}

/** Somebody comes to act, once for each of the chances, before anybody else does. */
type Turn = { who: number; chances: number[] }

const schedule: fc.Arbitrary<Turn[]> = fc.array(
  fc.record({
    // The listener, four writers, and the clock.
    who: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 1, arbitrary: fc.constant(5) },
    ),
    chances: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 50, maxLength: 300, size: 'max' },
)

/** @param look is shown the world after each step; false ends the run */
function run(mark: Marker, turns: Turn[], look: (world: World) => boolean): boolean {
  const world = new World(mark)
  return turns.every(({ who, chances }) =>
    chances.every((chance) => {
      world.step(who, chance)
      return look(world)
    }),
  )
}

const nobodyLiesUnheard = (mark: Marker) =>
  fc.property(schedule, (turns) => run(mark, turns, (world) => !world.isDeaf))

describe('the bell among writers', () => {
  test('P12 no committed row lies unheard while the listener sleeps', () => {
    fc.assert(nobodyLiesUnheard(ownId), { numRuns: 10_000 })
  })

  test('the schedules do reach sleep, rings, crowds and silent writers', () => {
    const seen = new Set<string>()
    const note = ({ state, rings, postgres }: World) => {
      seen.add(state.mode)
      if (state.mode === 'dozing' && postgres.xmin < state.mark) seen.add('barrier')
      if (rings > 0) seen.add('ring')
      return true
    }
    const watch = fc.property(schedule, (turns) => run(ownId, turns, note))
    fc.assert(watch, { numRuns: 200 })
    expect([...seen].sort()).toEqual(['asleep', 'awake', 'barrier', 'dozing', 'ring'])
  })

  // What the promise rests on: with less than this, the same schedules find a sleeper that
  // nobody woke.
  test.each<[string, Marker]>([
    ['no barrier at all', () => 0n],
    ['one past the newest id that has ended', ({ xmax }) => xmax],
  ])('P12 does not hold with %s for a mark', (_, mark) => {
    const { failed } = fc.check(nobodyLiesUnheard(mark), { numRuns: 20_000, endOnFailure: true })
    expect(failed).toBe(true)
  })
})
