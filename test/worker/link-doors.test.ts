import { evictDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CapturedChange } from '../../protocol/change.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { MAX_BATCH_CHANGES } from '../../protocol/link.ts'
import { signLink } from '../../protocol/signature.ts'
import {
  bindings,
  connectLink,
  openLink,
  orderChange,
  orderChanges,
  orderRow,
  SOURCE,
  startAfresh,
  type TestLink,
} from './link.ts'
import { openSocket, subscribe, within, worker } from './subscriber.ts'

/*
 * What the link refuses, of a listener that is mistaken or of someone who is none. After each of
 * them the feed holds what it held, a subscriber hears what the next listener brings, and nothing
 * else.
 */

afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

async function log() {
  const response = await worker.fetch('http://belfry.test/api/changes?after=0')
  const { changes } = await response.json<{
    changes: { offset: number; id: string; op: string }[]
  }>()
  return changes
}

/** Says something on an open link, and sees that nobody else is the worse for it. */
async function refused(
  say: (link: TestLink) => void,
  reason: RegExp,
  code: number = closeCodes.bad_frame.code,
) {
  const subscriber = await subscribe()
  await subscriber.frame('hello')
  const link = await openLink(1)
  say(link)
  const closed = await within(link.socket.closed, 'the close')
  expect(closed.code).toBe(code)
  expect(closed.reason).toMatch(reason)
  expect(new TextEncoder().encode(closed.reason).length).toBeLessThanOrEqual(123)
  expect(await log()).toEqual([])

  const next = await openLink(2)
  const change = orderChange()
  expect(await next.deliver([change])).toMatchObject({ head: 1, duplicates: 0 })
  expect((await subscriber.readTo(0, 1)).map(({ id }) => id)).toEqual([change.id])
}

const batch = (changes: unknown, seq: unknown = 1) => ({ type: 'batch', seq, changes })
const badChange = (fields: Record<string, unknown>) =>
  batch([orderChange(), { ...orderChange(), ...fields }])
const without = (field: keyof CapturedChange) => {
  const { [field]: _, ...rest } = orderChange()
  return batch([orderChange(), rest])
}

describe('P60 a message that cannot be read closes the link with 4402, and appends nothing', () => {
  it.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['half a batch', JSON.stringify(batch([orderChange()])).slice(0, -2)],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['8 MB', 'x'.repeat(8_000_000)],
  ])('%s', async (_, text) => {
    await refused((link) => link.socket.send(text), /JSON/)
  })

  it('binary', async () => {
    const text = JSON.stringify(batch([orderChange()]))
    const bytes = Uint8Array.from(text, (each) => each.charCodeAt(0))
    await refused((link) => link.socket.send(bytes.buffer), /text/)
  })

  it.each([
    ['null', null, /./],
    ['a number', 5, /./],
    ['a list', [], /./],
    ['no type', {}, /type/],
    ['an unknown type', { type: 'delete' }, /type/],
    ['a type of another', { type: 'ack', seq: 1 }, /type/],
    ['a batch of nothing', batch([]), /changes/],
    ['a batch without changes', { type: 'batch', seq: 1 }, /changes/],
    ['changes that are no list', batch({ length: 1 }), /changes/],
    ['too many changes', batch(orderChanges(MAX_BATCH_CHANGES + 1)), /changes/],
    ['a seq below 0', batch([orderChange()], -1), /seq/],
    ['a seq that is no whole number', batch([orderChange()], 1.5), /seq/],
    ['a seq that is text', batch([orderChange()], '1'), /seq/],
    ['a change that is null', batch([orderChange(), null]), /changes\.1/],
    ['a change that is a list', batch([orderChange(), []]), /changes\.1/],
    ['no id', without('id'), /changes\.1\.id/],
    ['an id that is a number', badChange({ id: 5 }), /changes\.1\.id/],
    ['an id that is no UUID', badChange({ id: "'; DROP TABLE seen; --" }), /changes\.1\.id/],
    ['no table', without('table'), /changes\.1\.table/],
    ['an empty table', badChange({ table: '' }), /changes\.1\.table/],
    ['a table that is a list', badChange({ table: ['orders'] }), /changes\.1\.table/],
    ['a table of 256 letters', badChange({ table: 'x'.repeat(256) }), /changes\.1\.table/],
    ['an unknown operation', badChange({ op: 'upsert' }), /changes\.1\.op/],
    ['an operation of Object.prototype', badChange({ op: 'constructor' }), /changes\.1\.op/],
    ['no key', without('key'), /changes\.1\.key/],
    ['a key that is text', badChange({ key: 'id' }), /changes\.1\.key/],
    ['a key that is a list', badChange({ key: [1] }), /changes\.1\.key/],
    ['no new row', without('new'), /changes\.1\.new/],
    ['a new row that is a list', badChange({ new: [] }), /changes\.1\.new/],
    ['a new row that is a number', badChange({ new: 1 }), /changes\.1\.new/],
    ['no old row', without('old'), /changes\.1\.old/],
    ['an old row that is text', badChange({ old: '{}' }), /changes\.1\.old/],
    ['no time', without('at'), /changes\.1\.at/],
    ['a time that is a number', badChange({ at: 1_763_713_000_000 }), /changes\.1\.at/],
    ['a time that is short', badChange({ at: 'now' }), /changes\.1\.at/],
    ['a time that is long', badChange({ at: '2'.repeat(41) }), /changes\.1\.at/],
    ['oversize: false', badChange({ oversize: false }), /changes\.1\.oversize/],
    ['oversize: "yes"', badChange({ oversize: 'yes' }), /changes\.1\.oversize/],
    ['a pulse of no state', { type: 'pulse', lagMs: 1 }, /state/],
    ['a pulse of an unknown state', { type: 'pulse', state: 'dead', lagMs: 1 }, /state/],
    ['a pulse with a lag below 0', { type: 'pulse', state: 'awake', lagMs: -1 }, /lagMs/],
    ['a pulse with a lag of null', { type: 'pulse', state: 'awake', lagMs: null }, /lagMs/],
  ])('%s', async (_, said, reason) => {
    await refused((link) => link.socket.send(JSON.stringify(said)), reason)
  })

  it.each([
    ['a batch', batch([orderChange()])],
    ['a pulse', { type: 'pulse', state: 'awake', lagMs: 0 }],
  ])('%s before open', async (_, said) => {
    const link = await connectLink()
    link.say(said)
    expect(await within(link.socket.closed, 'the close')).toEqual({
      code: closeCodes.bad_frame.code,
      reason: 'a link begins with "open"',
    })
    expect(await log()).toEqual([])
  })

  const opening = { type: 'open', source: SOURCE, term: 1, listener: 'a test' }
  it.each([
    ['no source', { source: undefined }, /source/],
    ['a source that is no UUID', { source: 'belfry' }, /source/],
    ['term 0', { term: 0 }, /term/],
    ['a term below 0', { term: -1 }, /term/],
    ['half a term', { term: 1.5 }, /term/],
    ['a term that is text', { term: '1' }, /term/],
    ['a term beyond all numbers', { term: 2 ** 53 }, /term/],
    ['a listener without a name', { listener: '' }, /listener/],
    ['a listener with a long name', { listener: 'é'.repeat(201) }, /listener/],
  ])('open with %s, and the next listener is not fenced by it', async (_, fields, reason) => {
    const link = await connectLink()
    link.say({ ...opening, ...fields })
    const closed = await within(link.socket.closed, 'the close')
    expect(closed).toEqual({
      code: closeCodes.bad_frame.code,
      reason: expect.stringMatching(reason),
    })
    expect(await (await openLink(1)).deliver([orderChange()])).toMatchObject({ head: 1 })
  })
})

describe('P20 what the feed has by UUID', () => {
  it('in one batch twice: the first counts, the other is dropped and counted', async () => {
    const change = orderChange()
    const link = await openLink()
    const other = { ...change, op: 'delete' as const, new: null, old: orderRow('pending') }
    expect(await link.deliver([change, other, orderChange()])).toMatchObject({
      head: 2,
      duplicates: 1,
    })
    expect((await log())[0]).toEqual({ offset: 1, ...change })
  })

  it('again with another body, in another batch, by another leader, after eviction', async () => {
    const change = orderChange()
    await (await openLink(1)).deliver([change])
    await evictDurableObject(bindings.FEED.getByName('main'))
    const link = await openLink(2)
    const other = { ...change, table: 'users', new: null }
    expect(await link.deliver([other])).toMatchObject({ head: 1, duplicates: 1 })
    expect(await log()).toEqual([{ offset: 1, ...change }])
  })

  it('a seq says nothing of what is in the batch: a repeated one is appended and answered', async () => {
    const link = await openLink()
    for (const seq of [7, 7, 3]) {
      link.say(batch([orderChange()], seq))
      expect(await link.hear('ack')).toMatchObject({ seq, duplicates: 0 })
    }
    expect(await log()).toHaveLength(3)
  })

  it('an offset is the feed’s to give: one that a listener brings is not taken', async () => {
    const link = await openLink()
    link.say(batch([{ ...orderChange(), offset: 99 }]))
    expect(await link.hear('ack')).toMatchObject({ head: 1 })
    expect((await log()).map(({ offset }) => offset)).toEqual([1])
  })
})

describe('P60 a signature that is not good', () => {
  const now = () => Date.now()
  const nonce = () => crypto.randomUUID()
  const sign = (at: number, secret = bindings.LINK_SECRET) => signLink(secret, at, nonce())

  it.each<[string, () => Promise<string>, string]>([
    ['of six minutes ago', () => sign(now() - 6 * 60_000), 'expired'],
    ['of in six minutes', () => sign(now() + 6 * 60_000), 'expired'],
    ['with another secret', () => sign(now(), 'guess'), 'wrong'],
    [
      'of another time',
      async () => (await sign(now() - 1_000)).replace(/t=\d+/, `t=${Math.floor(now() / 1000)}`),
      'wrong',
    ],
    [
      'of another nonce',
      async () => (await sign(now())).replace(/n=[\w-]+/, `n=${nonce()}`),
      'wrong',
    ],
    ['with a short nonce', () => signLink(bindings.LINK_SECRET, now(), 'short'), 'malformed'],
    ['in capital letters', async () => (await sign(now())).toUpperCase(), 'malformed'],
    ['cut off', async () => (await sign(now())).slice(0, -1), 'malformed'],
    ['twice', async () => `${await sign(now())}, ${await sign(now())}`, 'malformed'],
    ['of 8 KB', async () => `Belfry ${'x'.repeat(8_000)}`, 'malformed'],
    ['none', async () => '', 'missing'],
  ])('%s: 4401', async (_, header, why) => {
    const leader = await openLink()
    const authorization = await header()
    const socket = await openSocket('/link', authorization ? { authorization } : {})
    expect(await within(socket.closed, 'the close')).toEqual({
      code: closeCodes.unauthorized.code,
      reason: `the signature is ${why}`,
    })
    expect(await leader.deliver([orderChange()])).toMatchObject({ head: 1 })
  })

  it('a replay: 4401, after eviction too, and by way of the query too', async () => {
    const authorization = await sign(now())
    const first = await openSocket('/link', { authorization })
    await evictDurableObject(bindings.FEED.getByName('main'))
    for (const path of ['/link', '/link?_pk=other']) {
      const replay = await openSocket(path, { authorization })
      expect(await within(replay.closed, 'the close')).toEqual({
        code: closeCodes.unauthorized.code,
        reason: 'this signature was used before',
      })
    }
    first.send(JSON.stringify({ type: 'open', source: SOURCE, term: 1, listener: 'the first' }))
    expect(JSON.parse(await first.text())).toMatchObject({ type: 'welcome' })
  })

  it('a replay that does not hear that it is refused, and goes on: nobody’s', async () => {
    const leader = await openLink()
    const authorization = await sign(now())
    await openSocket('/link', { authorization })
    const replay = await openSocket('/link', { authorization })
    replay.send(JSON.stringify({ type: 'open', source: SOURCE, term: 9, listener: 'a thief' }))
    replay.send(JSON.stringify({ type: 'batch', seq: 1, changes: [orderChange()] }))
    expect(await leader.deliver([orderChange()])).toMatchObject({ head: 1 })
  })

  it('a nonce that a client names itself is not taken', async () => {
    const used = nonce()
    const headers = async () => ({ authorization: await sign(now()), 'x-belfry-nonce': used })
    for (const term of [1, 2]) {
      const link = await openSocket('/link', await headers())
      link.send(JSON.stringify({ type: 'open', source: SOURCE, term, listener: 'x' }))
      expect(JSON.parse(await link.text())).toMatchObject({ type: 'welcome' })
    }
  })
})
