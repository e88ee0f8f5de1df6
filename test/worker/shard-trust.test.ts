import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { Subscriber } from '../../worker/shard/subscriber.ts'
import { Trust } from '../../worker/shard/trust.ts'
import { holdTheClock, letTimePass } from './beats.ts'
import { FITS, flood, greeted, MANY, offsets, shard, through, watchWaiting } from './flood.ts'
import { openLink, orderChange, startAfresh } from './link.ts'
import { within, worker } from './subscriber.ts'

beforeEach(holdTheClock)
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await startAfresh()
})

describe('P38 one who does not acknowledge', () => {
  const { room, sent } = Trust.prototype

  it('is sent ahead what it is trusted with, and the rest at the pace it is assumed to read', async () => {
    vi.spyOn(Trust.prototype, 'room').mockImplementation(function (this: Trust, limits, now) {
      return room.call(this, { ...limits, trustBytes: 1_000_000 }, now)
    })
    const link = await openLink()
    await flood(link)
    const isWaiting = watchWaiting()
    const { subscriber } = await greeted('?after=0')
    await isWaiting()
    await subscriber.readTo(0, 4)
    expect(await subscriber.untilPong()).toEqual([])
    for (let at = 4; at < MANY; at += 4) {
      letTimePass(20_000)
      expect(offsets(await subscriber.readTo(at, at + 4))).toEqual(through(at + 1, at + 4))
    }
    letTimePass(20_000)
    await link.deliver([orderChange()])
    expect(offsets(await subscriber.readTo(MANY, MANY + 1))).toEqual([MANY + 1])
  })

  it('is closed with 4408 after a minute at that limit, unless it pings', async () => {
    // As if each byte were ten thousand.
    vi.spyOn(Trust.prototype, 'sent').mockImplementation(function (this: Trust, at, bytes, now) {
      sent.call(this, at, bytes * 10_000, now)
    })
    const stirs: (() => void)[] = []
    vi.spyOn(Subscriber.prototype, 'stirred').mockImplementation(
      () => new Promise((resolve) => void stirs.push(resolve)),
    )
    const link = await openLink()
    // A ping is told the time by the runtime, whose clock stands not still.
    letTimePass(-40_000)
    const { subscriber: silent, hello } = await greeted('')
    const { subscriber: pinging } = await greeted('')
    await flood(link, 2)
    expect(offsets(await pinging.readTo(0, 1))).toEqual([1])
    expect(await pinging.untilPong()).toEqual([])
    expect(offsets(await silent.readTo(0, 1))).toEqual([1])
    letTimePass(60_000)
    await runInDurableObject(shard(), () => {
      for (const stir of stirs) stir()
    })
    expect(await within(silent.closed, 'the close')).toEqual({
      code: closeCodes.too_slow.code,
      reason: 'too far behind; ask with acks=1 to be waited for',
    })
    expect(await pinging.untilPong()).toEqual([])
    const { subscriber: again } = await greeted(`?after=1&epoch=${hello.epoch}`)
    expect(offsets(await again.readTo(1, 2))).toEqual([2])
  })

  it('hears 20 MB at once from the beginning, without a word', async () => {
    const link = await openLink()
    await flood(link, 66)
    const { subscriber } = await greeted('?after=0')
    expect(offsets(await subscriber.readTo(0, 66))).toEqual(through(1, 66))
  })
})

describe('P38 server-sent events', () => {
  it('who takes nothing of the stream is waited for, and then has everything', async () => {
    let frames = 0
    const { send } = Subscriber.prototype
    vi.spyOn(Subscriber.prototype, 'send').mockImplementation(function (
      this: Subscriber,
      ...frame
    ) {
      frames++
      send.apply(this, frame)
    })
    const link = await openLink()
    await flood(link)
    const response = await worker.fetch('http://belfry.test/api/changes/stream?after=0')
    await expect.poll(() => frames).toBe(1 + FITS)
    await shard().beat({ epoch: '', offset: 0 })
    expect(frames).toBe(1 + FITS)

    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const ids: number[] = []
    for (let rest = ''; ids.at(-1) !== MANY; ) {
      const { value, done } = await within(reader?.read() ?? Promise.reject(), 'an event')
      if (done) throw new Error('the stream ended')
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('id: ')) ids.push(Number(line.split(':')[2]))
    }
    expect(ids).toEqual(through(0, MANY))
    await reader?.cancel()
  })
})
