import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { signLink } from '../../protocol/signature.ts'
import {
  bindings,
  connectLink,
  openLink,
  operator,
  orderChange,
  orderChanges,
  orderRow,
  startAfresh,
  TestLink,
} from './link.ts'
import { openSocket, within, worker } from './subscriber.ts'

afterEach(startAfresh)

/** A page of changes or a problem: a test names what it expects of either. */
type PageBody = { changes: Change[]; epoch?: string; [member: string]: unknown }

const feed = () => bindings.FEED.getByName('main')

async function readPage(query = '') {
  const response = await worker.fetch(`http://belfry.test/api/changes${query}`)
  return { status: response.status, body: await response.json<PageBody>() }
}

describe('appending', () => {
  it('P1 P20 gives each change one offset, gapless from 1', async () => {
    const link = await openLink()
    const changes = orderChanges(3)
    expect(await link.deliver(changes)).toMatchObject({ head: 3, duplicates: 0 })
    expect(await link.deliver(orderChanges(2))).toMatchObject({ head: 5, duplicates: 0 })
    const { body } = await readPage('?after=0')
    expect(body).toMatchObject({ head: 5, after: 0, through: 5 })
    expect(body.changes.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5])
    expect(body.changes.slice(0, 3).map(({ id }) => id)).toEqual(changes.map(({ id }) => id))
  })

  it('P20 drops and counts what it has by UUID, within a batch too, and after eviction', async () => {
    const [one, two, three] = [orderChange(), orderChange(), orderChange()]
    const link = await openLink()
    await link.deliver([one, two])
    await evictDurableObject(feed())
    expect(await link.deliver([two, three, three, one])).toMatchObject({ head: 3, duplicates: 3 })
  })

  it('P20 the same UUID with another body does not replace the first', async () => {
    const change = orderChange()
    const link = await openLink()
    await link.deliver([change])
    await link.deliver([{ ...change, op: 'delete', new: null, old: change.new }])
    expect((await readPage('?after=0')).body.changes).toEqual([{ offset: 1, ...change }])
  })

  it('P6 keeps a change of nearly 1.9 MB', async () => {
    const link = await openLink()
    const large = orderChange({ new: { id: 1, note: 'x'.repeat(1_890_000) } })
    expect(await link.deliver([large])).toMatchObject({ head: 1 })
    const { body } = await readPage('?after=0')
    expect(body.changes[0]?.new?.note).toHaveLength(1_890_000)
  })
})

describe('the link', () => {
  it.each([
    ['no signature', ''],
    ['a malformed one', 'Bearer abc'],
    ['one with another secret', 'other'],
    ['one that is too old', 'old'],
  ])('P60 %s is refused with 4401', async (_, given) => {
    const now = Date.now()
    const authorization =
      given === 'other'
        ? await signLink('not the secret', now, crypto.randomUUID())
        : given === 'old'
          ? await signLink(bindings.LINK_SECRET, now - 6 * 60_000, crypto.randomUUID())
          : given
    const socket = await openSocket('/link', authorization ? { authorization } : {})
    expect(await within(socket.closed, 'the close')).toMatchObject({
      code: closeCodes.unauthorized.code,
    })
  })

  it('accepts the previous secret while it is rotated', async () => {
    const link = await connectLink(bindings.LINK_SECRET_PREVIOUS)
    expect(await link.open()).toMatchObject({ head: 0 })
  })

  it('P60 a signature opens one link, once', async () => {
    const authorization = await signLink(bindings.LINK_SECRET, Date.now(), crypto.randomUUID())
    const first = new TestLink(await openSocket('/link', { authorization }))
    await first.open()
    const replay = await openSocket('/link', { authorization })
    expect(await within(replay.closed, 'the close')).toMatchObject({
      code: closeCodes.unauthorized.code,
    })
    expect(await first.deliver([orderChange()])).toMatchObject({ head: 1 })
  })

  it('P13 P21 refuses a lower term, and fences the old leader when a higher one opens', async () => {
    const old = await openLink(1)
    const leader = await openLink(2)
    expect(await old.hear('fenced')).toEqual({ type: 'fenced', term: 2 })
    expect(await within(old.socket.closed, 'the close')).toMatchObject({
      code: closeCodes.fenced.code,
    })
    const late = await connectLink()
    late.say({
      type: 'open',
      source: '0f0e0d0c-0b0a-4900-8807-060504030201',
      term: 1,
      listener: 'late',
    })
    expect(await late.hear('fenced')).toEqual({ type: 'fenced', term: 2 })
    expect(await leader.deliver([orderChange()])).toMatchObject({ head: 1 })
  })

  it('P21 still knows the term after eviction', async () => {
    await openLink(7)
    await evictDurableObject(feed())
    const late = await connectLink()
    late.say({
      type: 'open',
      source: '0f0e0d0c-0b0a-4900-8807-060504030201',
      term: 6,
      listener: 'late',
    })
    expect(await late.hear('fenced')).toEqual({ type: 'fenced', term: 7 })
  })

  it('P22 refuses the listener of another database', async () => {
    await openLink(1)
    const other = await connectLink()
    other.say({ type: 'open', source: crypto.randomUUID(), term: 9, listener: 'other' })
    expect(await within(other.socket.closed, 'the close')).toMatchObject({
      code: closeCodes.other_source.code,
    })
  })

  it.each([
    ['not JSON', 'hello'],
    ['no type', '{}'],
    ['a batch before open', JSON.stringify({ type: 'batch', seq: 1, changes: [orderChange()] })],
    ['an empty batch', JSON.stringify({ type: 'batch', seq: 1, changes: [] })],
    ['a change without a UUID', JSON.stringify({ type: 'batch', seq: 1, changes: [{ id: 'x' }] })],
    [
      'a term of 0',
      JSON.stringify({ type: 'open', source: crypto.randomUUID(), term: 0, listener: 'x' }),
    ],
  ])('P60 %s closes the link with 4402', async (_, text) => {
    const link = await connectLink()
    link.socket.send(text)
    expect(await within(link.socket.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
    })
  })

  it('tells the listener by its pulse in the status', async () => {
    const link = await openLink(3)
    link.say({ type: 'pulse', state: 'asleep', lagMs: 12 })
    await link.deliver([orderChange()])
    const status = await (await worker.fetch('http://belfry.test/api/status')).json()
    expect(status).toMatchObject({
      head: 1,
      lag_ms: 12,
      listener: { present: true, term: 3, state: 'asleep' },
    })
  })
})

describe('positions over JSON', () => {
  it('P34 answers reset for another epoch and for what is ahead', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(2))
    expect(await readPage('?after=0&epoch=another')).toMatchObject({
      status: 410,
      body: { code: 'reset', reason: 'epoch', head: 2 },
    })
    expect(await readPage('?after=3')).toMatchObject({ status: 410, body: { reason: 'ahead' } })
  })

  it('P34 P42 answers reset below the retained log, which keeps what a consumer has not had', async () => {
    const link = await openLink()
    for (let batch = 0; batch < 3; batch++) await link.deliver(orderChanges(2))
    await runInDurableObject(feed(), (instance) => {
      Object.assign((instance as unknown as { env: object }).env, { LOG_MAX_CHANGES: '2' })
    })
    const behind = async () => (await feed().status()).consumers.map(({ behind }) => behind)
    await expect.poll(behind).toEqual([0, 0, 0, 0])
    await runDurableObjectAlarm(feed())
    expect(await readPage('?after=3')).toMatchObject({ status: 410, body: { reason: 'pruned' } })
    expect(await readPage('')).toMatchObject({
      status: 200,
      body: { after: 4, through: 6, head: 6 },
    })
  })

  it('P34 a new life resets everyone and takes the next database', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(2))
    const before = (await readPage()).body.epoch
    const refused = await worker.fetch('http://belfry.test/api/admin/feed/epoch', {
      method: 'POST',
    })
    expect(refused.status).toBe(401)
    await worker.fetch('http://belfry.test/api/admin/feed/epoch', {
      method: 'POST',
      headers: operator,
    })
    const { body } = await readPage()
    expect(body).toMatchObject({ head: 0, changes: [] })
    expect(body.epoch).not.toBe(before)
    const other = await connectLink()
    expect(await other.open(1, crypto.randomUUID())).toMatchObject({ head: 0 })
  })

  it.each([
    'after=-1',
    'after=1.5',
    'after=x',
    'after=99999999999999999999',
    'epoch=!!',
    'op=upsert',
    'table=',
    'limit=0',
    'limit=1001',
    'limit=x',
  ])('P60 ?%s is a problem', async (query) => {
    const { status, body } = await readPage(`?${query}`)
    expect(status).toBe(400)
    expect(body).toMatchObject({
      status: 400,
      retry: false,
      code: expect.stringMatching(/^invalid_/),
    })
  })

  it('P32 P33 filters by table, operation and column, the old row too, and pages through', async () => {
    const link = await openLink()
    await link.deliver([
      orderChange({ table: 'invoices' }),
      orderChange({ op: 'update', old: orderRow('pending'), new: orderRow('filled') }),
      orderChange({ op: 'update', old: orderRow('filled'), new: orderRow('shipped') }),
      orderChange({ op: 'update', old: orderRow('shipped'), new: orderRow('delivered') }),
    ])
    const offsets = async (query: string) =>
      (await readPage(query)).body.changes.map(({ offset }) => offset)
    expect(await offsets('?after=0&table=orders&status=filled')).toEqual([2, 3])
    expect(await offsets('?after=0&op=insert')).toEqual([1])
    expect(await readPage('?after=0&status=filled&limit=1')).toMatchObject({
      body: { after: 0, through: 2 },
    })
    expect(await offsets('?after=2&status=filled&limit=1')).toEqual([3])
  })
})
