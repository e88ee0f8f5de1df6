import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { streamEvents } from '../../worker/api/event-stream.ts'
import { startAfresh } from './link.ts'
import { MeInboxWorld } from './me-inbox-world.ts'
import { within, worker } from './subscriber.ts'

/* An inbox over server-sent events, and what becomes of a stream of which nothing is read. */

let world: MeInboxWorld

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeInboxWorld()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
afterAll(startAfresh)

const path = '/api/me/notifications/stream'

/** Reads a stream of events until a text was in it. */
function reading(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let said = ''
  return {
    async until(text: string): Promise<string> {
      while (reader && !said.includes(text)) {
        const { value, done } = await within(reader.read(), text)
        if (done) throw new Error(`it ended without "${text}": ${said}`)
        said += value
      }
      return said
    },
    end: () => reader?.cancel(),
  }
}

describe('P83 an inbox over server-sent events', () => {
  it('says the same frames with the position as id, and resumes by Last-Event-ID', async () => {
    world.database.insertMany(2)
    const first = reading(await world.ask('GET', path))
    const hello = await first.until('data: ')
    const position = /id: (\S+)/.exec(hello)?.[1] ?? ''
    await world.json('PUT', '/api/me/notifications/1/read')
    expect(await first.until('"type":"notifications"')).toContain('"read":true')
    await first.end()

    const { position: head } = await world.json('GET', '/api/me/notifications')
    const again = reading(
      await world.ask('GET', `${path}?epoch=x&after=9`, undefined, { 'last-event-id': position }),
    )
    const resumed = await again.until(`id: ${head}`)
    expect(resumed).toContain(`id: ${position}\ndata: {"type":"hello"`)
    expect(resumed).toContain('"read":true')
    expect(resumed).not.toContain('"type":"reset"')
    await again.end()
  })

  it('is reset where the position cannot be served', async () => {
    const stream = reading(await world.ask('GET', `${path}?epoch=another&after=3`))
    expect(await stream.until('"type":"reset"')).toContain('"reason":"epoch"')
    await stream.end()
  })

  it.each([
    ['?after=1', {}, 'invalid_position'],
    ['?epoch=a', {}, 'invalid_position'],
    ['?epoch=A&after=1', {}, 'invalid_position'],
    ['?epoch=a&after=-1', {}, 'invalid_position'],
    ['?epoch=a&after=1e3', {}, 'invalid_position'],
    [`?epoch=a&after=${'9'.repeat(16)}`, {}, 'invalid_position'],
    ['?epoch=a&after=1&after=2', {}, 'invalid_query'],
    ['?table=orders', {}, 'invalid_query'],
    ['', { 'last-event-id': 'rubbish' }, 'invalid_position'],
    ['', { 'last-event-id': 'a:1, b:2' }, 'invalid_position'],
  ])('P60 %s %j: %s', async (query, headers, code) => {
    const response = await world.ask('GET', path + query, undefined, headers)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code })
  })
})

const frameOf = (through: number, size: number) =>
  `{"type":"notifications","epoch":"a","after":${through - 1},"through":${through},"x":"${'x'.repeat(size)}"}`

describe('a stream', () => {
  it('that is silent is kept open by comments, until its reader has left', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { 0: ours, 1: theirs } = new WebSocketPair()
    theirs.accept()
    const stream = reading(streamEvents(ours, 'listens'))
    await stream.until('retry: ')
    vi.advanceTimersByTime(15_000)
    await stream.until(': all is well\n\n')
    expect(vi.getTimerCount()).toBe(1)
    await stream.end()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('P37 of an inbox acknowledges nothing, for an inbox would close its socket', async () => {
    const { 0: ours, 1: theirs } = new WebSocketPair()
    theirs.accept()
    const heard: unknown[] = []
    theirs.addEventListener('message', ({ data }) => heard.push(data))
    const stream = reading(streamEvents(ours, 'listens'))
    for (let n = 1; n <= 5; n++) {
      theirs.send(frameOf(n, 100_000))
      await stream.until(`id: a:${n}`)
    }
    await stream.end()
    expect(heard).toEqual([])
  })

  it('P84 that is not read is ended, and what waits for its reader is bounded', async () => {
    const { 0: ours, 1: theirs } = new WebSocketPair()
    theirs.accept()
    const closed = new Promise<number>((resolve) => {
      theirs.addEventListener('close', ({ code }) => resolve(code))
    })
    const { body } = streamEvents(ours, 'listens')
    for (let n = 1; n <= 8; n++) theirs.send(frameOf(n, 1_000_000))
    expect(await within(closed, 'the close')).toBe(1000)
    let bytes = 0
    for await (const chunk of body ?? []) bytes += (chunk as Uint8Array).byteLength
    expect(bytes).toBeLessThan(6_000_000)
  })
})
