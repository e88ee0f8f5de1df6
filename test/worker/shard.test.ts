import {
  evictAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
} from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { Feed } from '../../worker/feed/feed.ts'
import { bindings, openLink, orderChange, orderChanges, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS, subscribe, within, worker } from './subscriber.ts'

afterEach(startAfresh)

const offsets = (changes: Change[]) => changes.map(({ offset }) => offset)
const feed = () => bindings.FEED.getByName('main')
const shard = () => bindings.SHARD.getByName('enam-0')

/** Until the feed knows of so many sockets, and tells them what is appended. */
async function live(sockets: number): Promise<void> {
  await expect
    .poll(async () => (await feed().status()).shards.reduce((sum, { sockets: n }) => sum + n, 0), {
      timeout: DEADLINE_MS,
    })
    .toBe(sockets)
}

describe('a subscription', () => {
  it('P30 begins with hello at the head and hears what comes after', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(2))
    const subscriber = await subscribe()
    expect(await subscriber.frame('hello')).toMatchObject({ protocol: 1, after: 2 })
    await link.deliver(orderChanges(1))
    expect(offsets(await subscriber.readTo(2, 3))).toEqual([3])
  })

  it('P31 P32 replays from a position and goes live without a gap while batches arrive', async () => {
    const link = await openLink()
    for (let batch = 0; batch < 20; batch++) await link.deliver(orderChanges(50))
    const early = await subscribe()
    const { epoch } = await early.frame('hello')
    const readers = [7, 500, 999].map(async (after) => {
      const subscriber = await subscribe(`?after=${after}&epoch=${epoch}`)
      expect(await subscriber.frame('hello')).toMatchObject({ after })
      return offsets(await subscriber.readTo(after, 2_000))
    })
    for (let batch = 0; batch < 20; batch++) await link.deliver(orderChanges(50))
    const expected = (after: number) =>
      Array.from({ length: 2_000 - after }, (_, i) => after + 1 + i)
    expect(await Promise.all(readers)).toEqual([expected(7), expected(500), expected(999)])
    expect(offsets(await early.readTo(1_000, 2_000))).toEqual(expected(1_000))
  })

  it.each([
    ['the shard', () => evictDurableObject(shard())],
    ['the feed', () => evictDurableObject(feed())],
    ['both', () => evictAllDurableObjects()],
  ])('P31 survives eviction of %s between any two batches', async (_, evict) => {
    const link = await openLink()
    const subscriber = await subscribe()
    const filtered = await subscribe('?status=filled')
    await subscriber.frame('hello')
    await filtered.frame('hello')
    await live(2)
    for (let round = 0; round < 3; round++) {
      await link.deliver([orderChange(), orderChange({ new: orderRow('filled') })])
      await evict()
    }
    expect(offsets(await subscriber.readTo(0, 6))).toEqual([1, 2, 3, 4, 5, 6])
    expect(offsets(await filtered.readTo(0, 6))).toEqual([2, 4, 6])
  })

  it('P32 P33 hears a row leave its filter, and is told through where nothing matched', async () => {
    const link = await openLink()
    const subscriber = await subscribe('?table=orders&status=filled&op=update')
    await subscriber.frame('hello')
    await link.deliver([
      orderChange({ new: orderRow('filled') }),
      orderChange({ op: 'update', old: orderRow('filled'), new: orderRow('shipped') }),
      orderChange({
        table: 'invoices',
        op: 'update',
        old: orderRow('filled'),
        new: orderRow('filled'),
      }),
    ])
    expect(offsets(await subscriber.readTo(0, 3))).toEqual([2])
    await link.deliver([orderChange({ new: orderRow('pending') })])
    expect(await subscriber.frame('changes')).toMatchObject({ after: 3, through: 4, changes: [] })
  })

  it('P35 hears a heartbeat at its own position', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(1))
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await live(1)
    await runDurableObjectAlarm(shard())
    expect(await subscriber.frame('changes')).toMatchObject({ after: 1, through: 1, changes: [] })
  })

  it('a heartbeat mends a push that was lost', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await live(1)
    // As if the feed had never known of the shard.
    await feed().attend('enam-0', 0)
    await link.deliver(orderChanges(3))
    await runDurableObjectAlarm(shard())
    expect(offsets(await subscriber.readTo(0, 3))).toEqual([1, 2, 3])
  })

  it('P36 what was appended while the feed did not know of the shard waits for no heartbeat', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await live(1)
    // As if its last socket had left, and that were told late.
    await feed().attend('enam-0', 0)
    await link.deliver(orderChanges(3))
    await subscribe()
    expect(offsets(await subscriber.readTo(0, 3))).toEqual([1, 2, 3])
  })

  it('P36 a heartbeat tells the feed of the shard, whatever went wrong before', async () => {
    const link = await openLink()
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await live(1)
    await feed().attend('enam-0', 0)
    await runDurableObjectAlarm(shard())
    await subscriber.frame('changes')
    await link.deliver(orderChanges(1))
    expect(offsets(await subscriber.readTo(0, 1))).toEqual([1])
  })

  it('many who come back to the same position at once share what is read for them', async () => {
    const link = await openLink()
    for (let batch = 0; batch < 5; batch++) await link.deliver(orderChanges(10))
    const reads = vi.spyOn(Feed.prototype, 'read')
    const attends = vi.spyOn(Feed.prototype, 'attend')
    const readers = await Promise.all(Array.from({ length: 100 }, () => subscribe('?after=7')))
    for (const reader of readers) {
      expect(await reader.frame('hello')).toMatchObject({ after: 7 })
      expect(offsets(await reader.readTo(7, 50))).toHaveLength(43)
    }
    expect(reads.mock.calls.length).toBeLessThan(30)
    expect(attends.mock.calls.length).toBeLessThan(30)
    vi.restoreAllMocks()
  })

  it.each([
    ['another epoch', '?after=0&epoch=another', 'epoch'],
    ['a position ahead of the feed', '?after=99', 'ahead'],
  ])('P34 %s gets reset and goes on from the head', async (_, query, reason) => {
    const link = await openLink()
    await link.deliver(orderChanges(2))
    const subscriber = await subscribe(query)
    expect(await subscriber.frame('hello')).toMatchObject({ after: 2 })
    expect(await subscriber.frame('reset')).toMatchObject({ reason, head: 2 })
    await link.deliver(orderChanges(1))
    expect(offsets(await subscriber.readTo(2, 3))).toEqual([3])
  })

  it('P34 a new life of the feed resets who is subscribed', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(2))
    const subscriber = await subscribe()
    const { epoch } = await subscriber.frame('hello')
    await live(1)
    await feed().beginLife()
    await runDurableObjectAlarm(shard())
    const said = await subscriber.frame('reset')
    expect(said).toMatchObject({ reason: 'epoch', head: 0 })
    expect(said.epoch).not.toBe(epoch)
    const again = await openLink()
    await again.deliver(orderChanges(1))
    while ((await subscriber.frame('changes')).through < 1);
  })

  it('P36 many small batches reach a late reader in few frames', async () => {
    const link = await openLink()
    for (let batch = 0; batch < 100; batch++) await link.deliver(orderChanges(1))
    const subscriber = await subscribe('?after=0')
    await subscriber.frame('hello')
    const frame = await subscriber.frame('changes')
    expect(frame).toMatchObject({ after: 0, through: 100 })
  })

  it('the shard is forgotten when its last socket leaves', async () => {
    const subscriber = await subscribe()
    await subscriber.frame('hello')
    await live(1)
    subscriber.close()
    await live(0)
    expect((await feed().status()).shards).toEqual([])
  })

  it('a client cannot choose its connection or its object', async () => {
    await (await subscribe('?_pk=mine')).frame('hello')
    await (await subscribe('?_pk=mine')).frame('hello')
    await live(2)
    expect(await listDurableObjectIds(bindings.SHARD)).toHaveLength(1)
    expect((await worker.fetch('http://belfry.test/parties/feed/main')).status).toBe(404)
  })
})

describe('bad input', () => {
  it.each([
    '?after=-1',
    '?after=1e3',
    '?op=upsert',
    '?table=',
    '?epoch=%00',
    `?status=${'x'.repeat(300)}`,
  ])('P60 %s closes with 4400 and says why', async (query) => {
    const subscriber = await subscribe(query)
    const { code, reason } = await within(subscriber.closed, 'the close')
    expect(code).toBe(closeCodes.bad_request.code)
    expect(reason).not.toBe('')
  })

  it('P37 answers ping with pong, and P60 closes who says anything else, alone', async () => {
    const [good, text, binary] = [await subscribe(), await subscribe(), await subscribe()]
    for (const subscriber of [good, text, binary]) await subscriber.frame('hello')
    await live(3)
    good.send('ping')
    expect(await good.text()).toBe('pong')
    text.send('{"type":"subscribe"}')
    binary.send(new Uint8Array([1, 2, 3]).buffer)
    expect(await within(text.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
    })
    expect(await within(binary.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
    })
    const link = await openLink()
    await link.deliver(orderChanges(1))
    expect(offsets(await good.readTo(0, 1))).toEqual([1])
  })

  it('a plain GET of the socket’s address is told to upgrade', async () => {
    const response = await worker.fetch('http://belfry.test/api/changes/ws')
    expect(response.status).toBe(426)
    expect(await response.json()).toMatchObject({ code: 'upgrade_required' })
  })
})

describe('server-sent events', () => {
  it('P30 sends the same frames with the position as id, and resumes by Last-Event-ID', async () => {
    const link = await openLink()
    await link.deliver(orderChanges(3))
    const { epoch } = await feed().status()
    const response = await worker.fetch('http://belfry.test/api/changes/stream?after=0', {
      headers: { 'last-event-id': `${epoch}:1` },
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    while (!heard.includes(`id: ${epoch}:3`)) {
      const { value, done } = await within(reader?.read() ?? Promise.reject(), 'an event')
      if (done) break
      heard += value
    }
    expect(heard).toContain(`id: ${epoch}:1\ndata: {"type":"hello"`)
    expect(heard).toContain('"after":1,"through":3')
    await reader?.cancel()
  })

  it('P60 a Last-Event-ID that is no position is a problem', async () => {
    const response = await worker.fetch('http://belfry.test/api/changes/stream', {
      headers: { 'last-event-id': 'rubbish' },
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_position' })
  })
})
