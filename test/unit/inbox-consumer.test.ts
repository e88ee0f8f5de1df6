import { describe, expect, it } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import { inboxConsumer } from '../../worker/feed/inbox-consumer.ts'
import type { Inboxes as Binding, Missed } from '../../worker/feed/tell-inbox.ts'

const EPOCH = 'epoch'

/** Inboxes that write down what they hear; those in `broken` fail, so often. */
class Inboxes {
  readonly heard = new Map<string, Change[]>()
  readonly woken: string[] = []
  readonly broken = new Map<string, number>()
  readonly missed = new Set<string>()
  /** Everyone but these reads. */
  readonly asleep = new Set<string>()
  readonly whys: string[] = []
  atOnce = 0
  most = 0

  readonly binding: Binding = {
    getByName: (user) => ({
      hear: async (changes, epoch) => {
        this.most = Math.max(this.most, ++this.atOnce)
        await Promise.resolve()
        this.atOnce--
        const failures = this.broken.get(user) ?? 0
        this.broken.set(user, failures - 1)
        if (failures > 0) throw new Error('the object was reset')
        expect(epoch).toBe(EPOCH)
        this.heard.set(user, [...(this.heard.get(user) ?? []), ...changes])
      },
      wake: async () => void this.woken.push(user),
    }),
  }

  handle(changes: Change[]): Promise<void> {
    const missed: Missed = {
      users: new Set(this.missed),
      note: (user, why) => {
        this.missed.add(user)
        this.whys.push(why)
      },
      forget: (user) => void this.missed.delete(user),
    }
    const readers = {
      has: (user: string) => !this.asleep.has(user),
      add: (user: string) => void this.asleep.delete(user),
      forget: (user: string) => void this.asleep.add(user),
      all: () => ['7', '8', '9'].filter((user) => !this.asleep.has(user)),
    }
    const consumer = inboxConsumer({ inboxes: this.binding, missed, readers })
    return consumer.handle(changes, { epoch: EPOCH, redriven: false })
  }

  offsetsOf(user: string): number[] | undefined {
    return this.heard.get(user)?.map(({ offset }) => offset)
  }
}

let offset = 0
function changeOf(table: string, old: Row | null, row: Row | null): Change {
  const op = old === null ? 'insert' : row === null ? 'delete' : 'update'
  const key = { id: (row ?? old)?.id ?? null }
  const at = '2026-11-21T08:33:55.123456+00:00'
  return { offset: ++offset, id: crypto.randomUUID(), table, op, key, new: row, old, at }
}
const told = (user: number | string, fields: Row = {}) =>
  changeOf('notifications', null, { id: 1, user_id: user, ...fields })

describe('the inbox consumer', () => {
  it('P80 tells each user what is theirs, in the order of the log, and nobody of anything else', async () => {
    const inboxes = new Inboxes()
    const changes = [
      told(7),
      changeOf('users', { id: 7, all_read_at: null }, { id: 7, all_read_at: '2026-11-21' }),
      changeOf('orders', null, { id: 7, customer_id: 7 }),
      told(8),
      changeOf('notifications', { id: 1, user_id: 7 }, null),
      changeOf('preferences', null, { user_id: 7, category: 'orders' }),
      told('9007199254740993'),
    ]
    await inboxes.handle(changes)
    const at = (...places: number[]) => places.map((place) => changes[place]?.offset)
    expect(inboxes.offsetsOf('7')).toEqual(at(0, 1, 4))
    expect(inboxes.offsetsOf('8')).toEqual(at(3))
    expect(inboxes.offsetsOf('9007199254740993')).toEqual(at(6))
    expect(inboxes.heard.size).toBe(3)
  })

  it('P96 a user who reads hears of what was revoked of theirs, and nobody of anything else', async () => {
    const inboxes = new Inboxes()
    inboxes.asleep.add('8')
    const of = (principal: string) => changeOf('revocations', null, { principal, since: 'x' })
    const mine = of('user:7')
    await inboxes.handle([mine, of('user:8'), of('key:9'), of('token:7'), of('user:x')])
    expect([...inboxes.heard]).toEqual([['7', [mine]]])
  })

  it('P90 a notification that becomes another user’s is gone for the one, and new for the other', async () => {
    const inboxes = new Inboxes()
    const [was, is] = [
      { id: 1, user_id: 7, title: 'for seven' },
      { id: 1, user_id: 8, title: 'for eight' },
    ]
    await inboxes.handle([changeOf('notifications', was, is)])
    expect(inboxes.heard.get('7')).toMatchObject([{ op: 'delete', new: null, old: was }])
    expect(inboxes.heard.get('8')).toMatchObject([{ op: 'insert', new: is, old: null }])
  })

  it('P41 nobody waits for one inbox that fails, and it hears later that it missed something', async () => {
    const inboxes = new Inboxes()
    inboxes.broken.set('3', 2)
    await inboxes.handle(Array.from({ length: 100 }, (_, index) => told(index + 1)))
    expect(inboxes.heard.size).toBe(99)
    expect([...inboxes.missed]).toEqual(['3'])
    expect(inboxes.whys).toEqual(['the object was reset'])
    const next = told(3)
    await inboxes.handle([next, told(4)])
    expect(inboxes.heard.get('3')).toMatchObject([{ table: 'notifications', op: 'truncate' }, next])
    expect(inboxes.heard.get('4')).toHaveLength(2)
    expect(inboxes.woken).toEqual(['3'])
    expect(inboxes.missed.size).toBe(0)
  })

  it('P41 one that fails once, as when it is moved, misses nothing', async () => {
    const inboxes = new Inboxes()
    inboxes.broken.set('3', 1)
    const change = told(3)
    await inboxes.handle([change])
    expect(inboxes.heard.get('3')).toEqual([change])
    expect(inboxes.missed.size).toBe(0)
  })

  it('P84 who never read hears of what is scheduled alone, and a new user or name wakes nobody', async () => {
    const inboxes = new Inboxes()
    inboxes.asleep.add('8')
    const later = told(8, { state: 'scheduled' })
    await inboxes.handle([
      told(8, { state: 'delivered' }),
      later,
      changeOf('users', { id: 8, all_read_at: null }, { id: 8, all_read_at: '2026-11-21' }),
      changeOf('users', null, { id: 7 }),
      changeOf('users', { id: 7, name: 'Ada' }, { id: 7, name: 'Ada L.' }),
    ])
    expect(inboxes.heard).toEqual(new Map([['8', [later]]]))
  })

  it('P84 of a table that was emptied everyone hears who reads, after what was before it', async () => {
    const inboxes = new Inboxes()
    inboxes.asleep.add('8')
    const [before, after] = [told(7), told(7)]
    const emptied = { ...told(7), op: 'truncate' as const, new: null, key: null }
    await inboxes.handle([before, emptied, after])
    expect(inboxes.heard).toEqual(
      new Map([
        ['7', [before, emptied, after]],
        ['9', [emptied]],
      ]),
    )
  })

  it('a user who is no more reads no more', async () => {
    const inboxes = new Inboxes()
    const gone = changeOf('users', { id: 7 }, null)
    await inboxes.handle([gone])
    expect(inboxes.heard).toEqual(new Map([['7', [gone]]]))
    expect(inboxes.asleep).toContain('7')
  })

  it('tells no more than 32 at a time', async () => {
    const inboxes = new Inboxes()
    await inboxes.handle(Array.from({ length: 1_000 }, (_, index) => told(index + 1)))
    expect(inboxes.heard.size).toBe(1_000)
    expect(inboxes.most).toBe(32)
  })

  it('P89 a row that does not say whose it is fails with its key', async () => {
    const change = { ...told(7), new: null, oversize: true as const }
    await expect(new Inboxes().handle([change])).rejects.toThrow(/row \{"id":1\} of notifications/)
  })
})
