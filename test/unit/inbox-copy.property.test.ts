import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Copy,
  countsOf,
  type Item,
  keptIn,
  STRAYS,
  TOMBSTONES,
  WINDOW,
} from '../../worker/inbox/copy.ts'
import { filledAgain, filledAnew, type Loaded } from '../../worker/inbox/fill.ts'
import {
  type Heard,
  hear,
  heardIn,
  rowsAsHeard,
  type Step,
  writtenAsHeard,
} from '../../worker/inbox/hear.ts'
import { framesSince } from '../../worker/inbox/moves.ts'
import { InboxDatabase } from '../support/inbox-database.ts'
import { InboxReader, listInPostgres } from '../support/inbox-reader.ts'
import { carryOut, write } from '../support/inbox-writes.ts'

/**
 * P82 P83 P84 on the decisions of an inbox, with no shell around them: rows and marks move in any
 * order; changes are heard late, again and in another way; loads take their time; the object is
 * evicted; readers come, stay away and return. Once all was heard, the copy is what the law makes
 * of all rows, and so is what each reader was told.
 */
const kind = <Kind extends string>(name: Kind) => fc.constant(name)
const few = fc.integer({ min: 1, max: 12 })

const happening = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: kind('write'), write, isToldAtOnce: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('deliver') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('pass'), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('tell'), count: few }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('tellAgain'), back: few, count: few }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('beginLoad') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('endLoad') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('evict') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('reader'), stays: fc.boolean() }) },
)
type Happening = typeof happening extends fc.Arbitrary<infer Each> ? Each : never

test('P82 P83 P84: once all was heard, the copy and every reader are what the law makes of all rows', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(3, WINDOW - 5, WINDOW + 3, WINDOW + 40),
      fc.array(happening, { minLength: 5, maxLength: 60 }),
      (rows, happenings) => {
        const world = new World(rows)
        for (const each of happenings) {
          world.take(each)
          world.checkBounds()
        }
        world.comeToRest()
        world.check()
      },
    ),
    { numRuns: 150 },
  )
})

class World {
  readonly #database = new InboxDatabase(7)
  #copy: Copy
  #heardSince: Heard[] = []
  #loading: Loaded | null = null
  #told: number
  #readers: { reader: InboxReader; stays: boolean }[] = []

  constructor(rows: number) {
    this.#database.insertMany(rows)
    this.#told = this.#database.log.length
    const life = { epoch: 'e1', feed: 'f1' }
    this.#copy = filledAnew(this.#window(), [], life, this.#now).copy
  }

  take(each: Happening): void {
    switch (each.kind) {
      case 'write': {
        const written = carryOut(this.#database, each.write)
        if (each.isToldAtOnce) this.#hear(writtenAsHeard(written))
        return
      }
      case 'deliver': {
        const due = [...this.#database.rows.values()].find(({ state }) => state === 'scheduled')
        if (due) this.#hear(rowsAsHeard([this.#database.deliver(Number(due.id))], true))
        return
      }
      case 'pass':
        this.#database.pass(each.ms)
        return this.#hear([])
      case 'tell':
        return this.#tell(this.#told, this.#told + each.count)
      case 'tellAgain': {
        const from = Math.max(0, this.#told - each.back)
        return this.#tell(from, Math.min(this.#told, from + each.count))
      }
      case 'beginLoad':
        if (this.#loading) return
        this.#heardSince = []
        this.#loading = this.#window()
        return
      case 'endLoad':
        return this.#endLoad()
      case 'evict':
        this.#loading = null
        this.#copy = stored(this.#copy)
        return
      case 'reader': {
        const { stays } = each
        this.#readers.push({ reader: new InboxReader(this.#database, this.#copy), stays })
      }
    }
  }

  /** All is heard, the copy is filled until it is not stale, and everyone returns. */
  comeToRest(): void {
    this.#endLoad()
    while (this.#told < this.#database.log.length) this.#tell(this.#told, this.#database.log.length)
    for (let loads = 0; this.#copy.isStale; loads++) {
      if (loads > 2) throw new Error('it stays stale')
      this.#loading = this.#window()
      this.#heardSince = []
      this.#endLoad()
    }
    for (const { reader } of this.#readers) this.#follow(reader)
  }

  check(): void {
    expect(countsOf(this.#copy, this.#now)).toEqual(this.#database.counts())
    const kept = keptIn(this.#copy, this.#now)
    const inbox = this.#database.inbox()
    expect(kept.map(({ row }) => row)).toEqual(inbox.slice(0, kept.length))
    if (this.#copy.floor === null) expect(kept).toHaveLength(inbox.length)
    else expect(kept.length).toBeGreaterThanOrEqual(WINDOW / 2)
    const list = listInPostgres(this.#database)
    for (const { reader } of this.#readers) {
      expect(reader.list).toEqual(list)
      expect(reader.counts ?? this.#database.counts()).toEqual(this.#database.counts())
    }
  }

  checkBounds(): void {
    const items = [...this.#copy.items.values()]
    const count = (kind: Item['kind']) => items.filter((item) => item.kind === kind).length
    expect(count('kept')).toBeLessThanOrEqual(WINDOW)
    expect(count('stray')).toBeLessThanOrEqual(STRAYS)
    expect(count('gone')).toBeLessThanOrEqual(TOMBSTONES)
  }

  get #now(): number {
    return this.#database.nowMs
  }

  #window(): Loaded {
    const window = JSON.parse(JSON.stringify(this.#database.window(WINDOW)))
    return { ...window, askedAt: this.#now }
  }

  #endLoad(): void {
    const loaded = this.#loading
    if (!loaded) return
    this.#loading = null
    this.#step(filledAgain(this.#copy, loaded, this.#heardSince, this.#now))
  }

  #tell(from: number, to: number): void {
    const changes = this.#database.log.slice(from, to)
    this.#told = Math.max(this.#told, from + changes.length)
    this.#hear(heardIn(changes))
  }

  #hear(heard: Heard[]): void {
    if (this.#loading) this.#heardSince.push(...heard)
    this.#step(hear(this.#copy, heard, this.#now))
  }

  #step({ copy, late }: Step): void {
    this.#copy = copy
    for (const { reader, stays } of this.#readers) if (stays) this.#follow(reader)
    for (const id of late) if (this.#database.rows.has(id)) this.#database.mark(id, 'seen', true)
  }

  #follow(reader: InboxReader): void {
    for (const frame of framesSince(this.#copy, reader.at, this.#now)) reader.apply(frame)
  }
}

/** As it comes out of the storage again. */
function stored({ items, ...rest }: Copy): Copy {
  const read: [number, Item][] = JSON.parse(JSON.stringify([...items]))
  return { ...JSON.parse(JSON.stringify(rest)), items: new Map(read) }
}
