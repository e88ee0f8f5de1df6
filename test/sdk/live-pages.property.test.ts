import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { liveOn } from '../../client/sdk/live.ts'
import { rowKey } from '../../client/sdk/row-key.ts'
import { tableReader } from '../../client/sdk/table-reader.ts'
import type { Change, Row } from '../../protocol/change.ts'
import { changes, hello, reset, truncated, World } from './world.ts'

/*
 * live() with nothing but a table's name: the rows come in pages from the worker, in the order of
 * a composite key, while the table and the feed move on and rows grow too large to travel. The
 * property decides who goes next. Whatever the order, once all is delivered the rows are the
 * table, and of a row that is too large there is the key.
 */

type Place = { shelf: string; no: number }
const PLACES: Place[] = ['a', 'b'].flatMap((shelf) => [1, 2, 3].map((no) => ({ shelf, no })))
const KEY = ['shelf', 'no']

type Move =
  | { do: 'insert' | 'update' | 'delete' | 'enlarge'; at: Place }
  | { do: 'rekey'; at: Place; to: Place }
  | { do: 'truncate' | 'fail' | 'break' | 'reset' }
  /** The feed says so many changes in one frame. */
  | { do: 'deliver'; count: number }
  /** The worker answers the page that is asked for, with so many rows. */
  | { do: 'page'; rows: number }

const at = fc.constantFrom(...PLACES)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'insert' as const,
        'insert' as const,
        'update' as const,
        'delete' as const,
        'enlarge' as const,
      ),
      at,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rekey' as const), at, to: at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('page' as const),
      rows: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('truncate' as const, 'fail' as const, 'break' as const, 'reset' as const),
    }),
  },
)

it.each([
  ['with a version column', 'version'],
  ['without', undefined],
])('P6 P30 P34 live() ends equal to the table, page by page, %s', async (_, version) => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 70 }), async (moves) => {
      const stage = new Stage(version)
      for (const each of moves) await stage.play(each)
      await stage.settle()
      expect(stage.shown()).toEqual(stage.table())
      expect(stage.partial()).toEqual(stage.large())
      expect(stage.world.reported).toEqual([])
    }),
    { numRuns: 300 },
  )
})

type Held = { row: Row; large: boolean }
type Question = { cursor: string | null; answer: PromiseWithResolvers<Response> }

class Stage {
  readonly world = new World()
  readonly #live
  readonly #rows = new Map<string, Held>()
  #log: Change[] = []
  #epoch = 1
  #said = 0
  #question: Question | null = null
  #written = 0

  constructor(version: string | undefined) {
    this.world.chance = 0
    this.#write({ do: 'insert', at: PLACES[0] as Place })
    const of = { url: 'http://127.0.0.1:8787', table: 'orders' }
    const readTable = tableReader<Row>(of, (input, init) => {
      const answer = Promise.withResolvers<Response>()
      init?.signal?.addEventListener('abort', () => answer.reject(new Error('aborted')))
      this.#question = { cursor: new URL(String(input)).searchParams.get('cursor'), answer }
      return answer.promise
    })
    this.#live = liveOn<Row>(this.world, { ...of, ...(version && { version }) }, readTable)
    this.#said = this.#log.length
    this.world.socket.say(hello(this.#name, this.#said))
  }

  shown(): Row[] {
    return sorted([...this.#live.rows().values()])
  }

  table(): Row[] {
    return sorted([...this.#rows.values()].map(({ row, large }) => (large ? keyOf(row) : row)))
  }

  partial(): string[] {
    return [...this.#live.partial].sort()
  }

  large(): string[] {
    const large = [...this.#rows.values()].filter((held) => held.large)
    return large.map(({ row }) => rowKey(row, KEY)).sort()
  }

  async play(move: Move) {
    switch (move.do) {
      case 'deliver':
        return this.#deliver(move.count)
      case 'page':
        return this.#answer(move.rows)
      case 'fail':
        this.#question?.answer.resolve(Response.json({ title: 'no database' }, { status: 503 }))
        this.#question = null
        await setImmediate()
        return this.world.pass(1)
      case 'break':
        this.world.socket.break()
        this.world.pass(1)
        return this.world.socket.say(hello(this.#name, this.#said))
      case 'reset':
        this.#epoch++
        this.#said = this.#log.length
        this.world.socket.say(reset(this.#name, this.#said))
        return setImmediate()
      default:
        return this.#write(move)
    }
  }

  async settle() {
    this.#deliver(this.#log.length)
    await setImmediate()
    while (this.#live.freshness.state !== 'current') await this.#answer(2)
  }

  get #name() {
    return `e${this.#epoch}`
  }

  #deliver(count: number) {
    const list = this.#log.slice(this.#said, this.#said + count)
    this.world.socket.say(changes(this.#name, this.#said, list))
    this.#said += list.length
  }

  /** What a page holds is what the table holds now. */
  async #answer(count: number) {
    await setImmediate()
    const question = this.#question
    if (question) {
      this.#question = null
      const rest = [...this.#rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([key]) => question.cursor === null || key > question.cursor)
      const page = rest.slice(0, count)
      question.answer.resolve(
        Response.json({
          key: KEY,
          rows: page.filter(([, { large }]) => !large).map(([, { row }]) => row),
          oversize: page.filter(([, { large }]) => large).map(([, { row }]) => keyOf(row)),
          next_cursor: rest.length > count ? page.at(-1)?.[0] : null,
        }),
      )
    }
    await setImmediate()
    this.world.pass(1)
  }

  #write(move: Exclude<Move, { do: 'deliver' | 'page' }>) {
    const n = ++this.#written
    if (move.do === 'truncate') {
      this.#rows.clear()
      this.#log.push(truncated(this.#log.length + 1))
      return
    }
    if (!('at' in move)) return
    const name = nameOf(move.at)
    const held = this.#rows.get(name)
    if (move.do === 'insert') {
      if (held) return
      // Each life of a row begins its versions anew.
      const row = { ...move.at, version: 1, n }
      this.#rows.set(name, { row, large: false })
      this.#say('insert', row, null, false)
    } else if (held) {
      const { row: old, large } = held
      this.#rows.delete(name)
      if (move.do === 'delete') return this.#say('delete', null, old, large)
      const to = move.do === 'rekey' ? move.to : move.at
      if (nameOf(to) !== name && this.#rows.has(nameOf(to))) {
        this.#rows.set(name, held)
        return
      }
      const row = { ...old, ...to, version: Number(old.version) + 1, n }
      const grown = move.do === 'enlarge'
      this.#rows.set(nameOf(to), { row, large: grown })
      this.#say('update', row, old, large || grown)
    }
  }

  /** A change of a large row, before or after, leaves its images behind. */
  #say(op: Change['op'], row: Row | null, old: Row | null, large: boolean) {
    const offset = this.#log.length + 1
    this.#log.push({
      id: `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`,
      offset,
      table: 'orders',
      op,
      key: keyOf(row ?? old ?? {}),
      new: large ? null : row,
      old: large ? null : old,
      at: '2026-11-21T08:33:55.123456+00:00',
      ...(large && { oversize: true as const }),
    })
  }
}

function keyOf({ shelf = null, no = null }: Row): Row {
  return { shelf, no }
}

function nameOf({ shelf, no }: Place): string {
  return `${shelf}${no}`
}

function sorted(rows: Row[]): Row[] {
  return rows.sort((a, b) => (rowKey(a, KEY) < rowKey(b, KEY) ? -1 : 1))
}
