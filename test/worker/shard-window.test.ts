import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatAck } from '../../protocol/acknowledgement.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { WINDOW_BYTES } from '../../worker/shard/limits.ts'
import { Subscriber } from '../../worker/shard/subscriber.ts'
import { holdTheClock, letTimePass } from './beats.ts'
import {
  FITS,
  flood,
  greeted,
  largeChange,
  MANY,
  offsets,
  shard,
  through,
  watchWaiting,
} from './flood.ts'
import { openLink, orderChange, startAfresh } from './link.ts'
import { subscribe, within } from './subscriber.ts'

beforeEach(holdTheClock)
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await startAfresh()
})

describe('P38 P39 one who acknowledges', () => {
  it('P30 is told the window, and another is not', async () => {
    expect((await greeted('?acks=1')).hello.window).toBe(WINDOW_BYTES)
    expect((await greeted('')).hello).not.toHaveProperty('window')
  })

  it('is sent no more than its window, while everyone else hears everything', async () => {
    const link = await openLink()
    const { subscriber: slow, hello } = await greeted('?acks=1')
    const { subscriber: good } = await greeted('?acks=1')
    const { subscriber: raw } = await greeted('')
    const [heardByGood, heardByRaw] = await Promise.all([
      good.readTo(0, MANY, true),
      raw.readTo(0, MANY),
      flood(link),
    ])
    expect(offsets(heardByGood)).toEqual(through(1, MANY))
    expect(offsets(heardByRaw)).toEqual(through(1, MANY))

    expect(offsets(await slow.readTo(0, FITS))).toEqual(through(1, FITS))
    expect(await slow.untilPong()).toEqual([])

    // It is alive after all: what it says brings it the rest, and then it is live again.
    slow.send(formatAck({ epoch: hello.epoch, offset: FITS }))
    expect(offsets(await slow.readTo(FITS, MANY, true))).toEqual(through(FITS + 1, MANY))
    await link.deliver([orderChange()])
    expect(offsets(await slow.readTo(MANY, MANY + 1))).toEqual([MANY + 1])
  })

  it('is closed with 4408 when it acknowledges nothing for 30 s, and resumes without a gap', async () => {
    const link = await openLink()
    const { subscriber: slow, hello } = await greeted('?acks=1')
    await flood(link)
    await slow.readTo(0, FITS)
    letTimePass(29_000)
    const early = formatAck({ epoch: hello.epoch, offset: 0 })
    slow.send(early)
    expect(await slow.untilPong()).toEqual([])
    letTimePass(1_000)
    slow.send(early)
    expect(await within(slow.closed, 'the close')).toEqual({
      code: closeCodes.too_slow.code,
      reason: 'nothing acknowledged for 30 s',
    })
    const { subscriber: again } = await greeted(`?acks=1&after=${FITS}&epoch=${hello.epoch}`)
    expect(offsets(await again.readTo(FITS, MANY, true))).toEqual(through(FITS + 1, MANY))
  })

  it('is closed also when there is nothing more to tell it', async () => {
    const link = await openLink()
    const { subscriber: slow, hello } = await greeted('?acks=1')
    await flood(link, FITS)
    await slow.readTo(0, FITS)
    // A heartbeat finds it without room.
    await runDurableObjectAlarm(shard())
    expect(await slow.untilPong()).toEqual([])
    letTimePass(30_000)
    slow.send(formatAck({ epoch: hello.epoch, offset: 0 }))
    expect(await within(slow.closed, 'the close')).toMatchObject({ code: 4408 })
  })

  it('of several who are slow each has a window of its own', async () => {
    const link = await openLink()
    const slow = await Promise.all(through(1, 3).map(() => greeted('?acks=1')))
    await flood(link)
    for (const { subscriber } of slow) await subscriber.readTo(0, FITS)
    const [last, ...others] = slow
    for (const { subscriber, hello } of others) {
      subscriber.send(formatAck({ epoch: hello.epoch, offset: FITS }))
      const rest = await subscriber.readTo(FITS, MANY, true)
      expect(offsets(rest)).toEqual(through(FITS + 1, MANY))
    }
    expect(await last?.subscriber.untilPong()).toEqual([])
  })

  it('who comes back to the beginning is sent the log a window at a time', async () => {
    const link = await openLink()
    await flood(link)
    const isWaiting = watchWaiting()
    const { subscriber, hello } = await greeted('?acks=1&after=0')
    await isWaiting()
    expect(offsets(await subscriber.readTo(0, FITS))).toEqual(through(1, FITS))
    expect(await subscriber.untilPong()).toEqual([])
    subscriber.send(formatAck({ epoch: hello.epoch, offset: FITS }))
    expect(offsets(await subscriber.readTo(FITS, MANY, true))).toEqual(through(FITS + 1, MANY))
  })

  it('P36 a page is cut inside a batch, so that it fits', async () => {
    const link = await openLink()
    await link.deliver([largeChange(), largeChange(), largeChange(), largeChange()])
    const { subscriber } = await greeted('?acks=1&after=0')
    for (const after of [0, 1, 2, 3])
      expect(await subscriber.frame('changes')).toMatchObject({ after, through: after + 1 })
  })

  it('one whose filter lets nothing through needs to say nothing', async () => {
    const link = await openLink()
    const { subscriber } = await greeted('?acks=1&status=filled')
    await flood(link)
    await runDurableObjectAlarm(shard())
    expect(await subscriber.readTo(0, MANY)).toEqual([])
  })

  it('P31 the shard cannot sleep while it waits for room, and afterwards it may', async () => {
    const link = await openLink()
    const { subscriber, hello } = await greeted('?acks=1')
    await flood(link)
    await subscriber.readTo(0, FITS)
    const evicting = evictDurableObject(shard())
    subscriber.send(formatAck({ epoch: hello.epoch, offset: FITS }))
    expect(offsets(await subscriber.readTo(FITS, MANY, true))).toEqual(through(FITS + 1, MANY))
    await evicting
    await link.deliver([orderChange()])
    expect(offsets(await subscriber.readTo(MANY, MANY + 1))).toEqual([MANY + 1])
  })

  it('P31 the shard may sleep: who was live goes on, and with a new window', async () => {
    const link = await openLink()
    const { subscriber, hello } = await greeted('?acks=1')
    await flood(link, 10)
    await subscriber.readTo(0, 10)
    await evictDurableObject(shard())
    subscriber.send(formatAck({ epoch: hello.epoch, offset: 10 }))
    await flood(link, 10)
    expect(offsets(await subscriber.readTo(10, 20))).toEqual(through(11, 20))
  })
})

describe('bad input', () => {
  it.each([
    ['no position', 'ack'],
    ['no epoch', 'ack 1'],
    ['no offset', 'ack k3v:'],
    ['a negative offset', 'ack k3v:-1'],
    ['half an offset', 'ack k3v:0.5'],
    ['one that is no number', 'ack k3v:x'],
    ['one that is huge', `ack k3v:${'9'.repeat(400)}`],
    ['two positions', 'ack k3v:1 k3v:2'],
    ['another text', 'acknowledge k3v:1'],
    ['nothing', ''],
  ])('P37 P60 an acknowledgement with %s closes with 4402', async (_, text) => {
    const { subscriber } = await greeted('?acks=1')
    subscriber.send(text)
    expect(await within(subscriber.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
      reason: 'only "ping", "ack <epoch>:<offset>" and "refresh <token>" are read here',
    })
  })

  it('P37 P60 one that is ahead of what was sent, or is binary, closes with 4402, alone', async () => {
    const link = await openLink()
    await link.deliver([orderChange()])
    const { subscriber: ahead, hello } = await greeted('?acks=1')
    const { subscriber: binary } = await greeted('?acks=1')
    const { subscriber: good } = await greeted('?acks=1')
    ahead.send(formatAck({ epoch: hello.epoch, offset: 2 }))
    binary.send(
      new TextEncoder().encode(formatAck({ epoch: hello.epoch, offset: 1 })).buffer as ArrayBuffer,
    )
    for (const { closed } of [ahead, binary])
      expect(await within(closed, 'the close')).toMatchObject({ code: closeCodes.bad_frame.code })
    await link.deliver([orderChange()])
    expect(offsets(await good.readTo(1, 2, true))).toEqual([2])
  })

  it('P37 one that goes back, comes again, or is of another epoch is let pass', async () => {
    const link = await openLink()
    await link.deliver([orderChange(), orderChange()])
    const heard = vi.spyOn(Subscriber.prototype, 'heard')
    const { subscriber, hello } = await greeted('?acks=1')
    for (const position of [
      { epoch: hello.epoch, offset: 2 },
      { epoch: hello.epoch, offset: 2 },
      { epoch: hello.epoch, offset: 0 },
      { epoch: 'before', offset: 900 },
    ])
      subscriber.send(formatAck(position))
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(4))
    expect(heard.mock.results.map(({ value }) => value)).toEqual([null, null, null, null])
    await link.deliver([orderChange()])
    expect(offsets(await subscriber.readTo(2, 3))).toEqual([3])
  })

  it('P37 P60 who did not ask to acknowledge must not', async () => {
    const { subscriber, hello } = await greeted('')
    subscriber.send(formatAck({ epoch: hello.epoch, offset: 0 }))
    expect(await within(subscriber.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_frame.code,
    })
  })

  it('P60 acks=2 closes with 4400', async () => {
    const subscriber = await subscribe('?acks=2')
    expect(await within(subscriber.closed, 'the close')).toMatchObject({
      code: closeCodes.bad_request.code,
    })
  })
})
