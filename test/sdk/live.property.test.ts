import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { liveOn } from '../../client/sdk/live.ts'
import type { Change, Row } from '../../protocol/change.ts'
import {
  changes,
  deleted,
  hello,
  inserted,
  oversize,
  reset,
  truncated,
  updated,
  World,
} from './world.ts'

/*
 * A small database, its feed, and a snapshot that is read key by key while both
 * move on; the property decides who goes next. Whatever the order, once all is
 * delivered the rows are the table.
 */

const IDS = [1, 2, 3]

type Move =
  | { do: 'insert' | 'update' | 'delete'; id: number }
  | { do: 'rekey'; id: number; to: number }
  | { do: 'enlarge'; id: number }
  | { do: 'truncate' }
  /** The feed says so many changes in one frame. */
  | { do: 'deliver'; count: number }
  /** The snapshot under way reads this key now; it may have been read already. */
  | { do: 'read'; id: number }
  | { do: 'finish' | 'fail' | 'break' | 'reset' }

const id = fc.constantFrom(...IDS)
const writes: fc.Arbitrary<Move>[] = [
  fc.record({ do: fc.constant('insert' as const), id }),
  fc.record({ do: fc.constant('update' as const), id }),
  fc.record({ do: fc.constant('delete' as const), id }),
  fc.record({ do: fc.constant('rekey' as const), id, to: id }),
  fc.record({ do: fc.constant('enlarge' as const), id }),
  fc.constant({ do: 'truncate' as const }),
]
const reads: fc.Arbitrary<Move>[] = [
  fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('read' as const), id }),
  fc.record({ do: fc.constantFrom('finish' as const, 'fail' as const) }),
]
const breaks: fc.Arbitrary<Move> = fc.record({
  do: fc.constantFrom('break' as const, 'reset' as const),
})

const anything = fc.oneof(
  { weight: 5, arbitrary: fc.oneof(...writes) },
  { weight: 5, arbitrary: fc.oneof(...reads) },
  { weight: 1, arbitrary: breaks },
)
const withoutLeaving = fc.oneof(
  fc.record({ do: fc.constantFrom('insert' as const, 'update' as const), id }),
  ...reads,
)

describe('a live table, however reads, changes and breaks fall', () => {
  it.each([
    ['with a version column', 'version'],
    ['without', undefined],
  ])('P30 P34 ends equal to the table, %s', async (_, version) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 60 }), async (moves) => {
        const stage = new Stage(version)
        for (const move of moves) await stage.play(move)
        await stage.settle()
        expect(stage.shown()).toEqual(stage.database())
      }),
      { numRuns: 300 },
    )
  })

  it('never shows an older version after a newer one, with a version column', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(withoutLeaving, { maxLength: 60 }), async (moves) => {
        const stage = new Stage('version')
        const newest = new Map<unknown, number>()
        stage.live.subscribe(() => {
          for (const { id, version } of stage.live.rows().values()) {
            expect(Number(version)).toBeGreaterThanOrEqual(newest.get(id) ?? 0)
            newest.set(id, Number(version))
          }
        })
        for (const move of moves) await stage.play(move)
        await stage.settle()
        expect(stage.world.reported).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

type Reading = {
  got: Map<number, Row | undefined>
  resolve(rows: Row[]): void
  reject(e: Error): void
}

class Stage {
  readonly world = new World()
  readonly live
  #rows = new Map<number, Row>()
  #log: Change[] = []
  #epoch = 1
  /** Where the newest reset, or the beginning, stands: nothing before it is told. */
  #said = 0
  #readings: Reading[] = []
  #written = 0

  constructor(version: string | undefined) {
    this.world.chance = 0
    this.#write({ do: 'insert', id: 1 })
    this.live = liveOn(this.world, {
      url: 'http://127.0.0.1:8787',
      table: 'orders',
      ...(version !== undefined && { version }),
      snapshot: () => {
        const { promise, resolve, reject } = Promise.withResolvers<Row[]>()
        this.#readings.push({ got: new Map(), resolve, reject })
        return promise
      },
    })
    this.#said = this.#log.length
    this.world.socket.say(hello(this.#name, this.#said))
  }

  shown(): Row[] {
    return sorted(this.live.rows().values())
  }

  database(): Row[] {
    return sorted(this.#rows.values())
  }

  async play(move: Move) {
    switch (move.do) {
      case 'deliver':
        return this.#deliver(move.count)
      case 'read':
        return this.#reading?.got.set(
          move.id,
          this.#reading.got.get(move.id) ?? this.#rows.get(move.id),
        )
      case 'finish':
      case 'fail':
        return this.#end(move.do)
      case 'break':
        this.world.socket.break()
        this.world.pass(1)
        return this.world.socket.say(hello(this.#name, this.#said))
      case 'reset':
        this.#epoch++
        this.#said = this.#log.length
        return this.world.socket.say(reset(this.#name, this.#said))
      default:
        return this.#write(move)
    }
  }

  /** Delivers everything and lets every read succeed. */
  async settle() {
    this.#deliver(this.#log.length)
    while (this.live.freshness.state !== 'current') {
      await this.#end('finish')
    }
  }

  get #name() {
    return `e${this.#epoch}`
  }

  get #reading(): Reading | undefined {
    return this.#readings.at(-1)
  }

  #deliver(count: number) {
    const list = this.#log.slice(this.#said, this.#said + count)
    this.world.socket.say(changes(this.#name, this.#said, list))
    this.#said += list.length
  }

  async #end(how: 'finish' | 'fail') {
    const reading = this.#readings.pop()
    this.#readings = []
    if (how === 'fail') reading?.reject(new Error('no database'))
    else
      reading?.resolve(
        IDS.map((id) => (reading.got.has(id) ? reading.got.get(id) : this.#rows.get(id))).filter(
          (row) => row !== undefined,
        ),
      )
    await setImmediate()
    this.world.pass(1)
  }

  #write(move: Move) {
    const old = 'id' in move ? this.#rows.get(move.id) : undefined
    const offset = this.#log.length + 1
    const n = ++this.#written
    if (move.do === 'truncate') {
      this.#rows.clear()
      this.#log.push(truncated(offset))
    } else if (move.do === 'insert' && !old) {
      // Each life of a row begins its versions anew.
      const row = { id: move.id, version: 1, n }
      this.#rows.set(move.id, row)
      this.#log.push(inserted(offset, row))
    } else if (move.do === 'delete' && old) {
      this.#rows.delete(move.id)
      this.#log.push(deleted(offset, old))
    } else if ((move.do === 'update' || move.do === 'enlarge') && old) {
      const row = { ...old, version: Number(old.version) + 1, n }
      this.#rows.set(move.id, row)
      this.#log.push(
        move.do === 'update'
          ? updated(offset, old, row)
          : oversize(offset, 'update', { id: move.id }),
      )
    } else if (move.do === 'rekey' && old && !this.#rows.has(move.to)) {
      const row = { ...old, id: move.to, version: Number(old.version) + 1, n }
      this.#rows.delete(move.id)
      this.#rows.set(move.to, row)
      this.#log.push(updated(offset, old, row))
    }
  }
}

function sorted(rows: Iterable<Row>): Row[] {
  return [...rows].sort((a, b) => Number(a.id) - Number(b.id))
}
