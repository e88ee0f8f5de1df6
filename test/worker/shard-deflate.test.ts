import { evictDurableObject } from 'cloudflare:test'
import { afterEach, expect, it } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { Frame } from '../../protocol/frames.ts'
import { shard } from './flood.ts'
import { openLink, orderChange, orderRow, startAfresh, type TestLink } from './link.ts'
import { openSocket, subscribe, within, worker } from './subscriber.ts'

afterEach(startAfresh)

const large = () => orderChange({ new: { ...orderRow('pending'), note: 'x'.repeat(5_000) } })

/** A socket of which each message is read as what it is. */
async function rawSocket(query: string) {
  const { webSocket } = await worker.fetch(`http://belfry.test/api/changes/ws${query}`, {
    headers: { upgrade: 'websocket' },
  })
  if (!webSocket) throw new Error('no socket')
  const heard: unknown[] = []
  let tell = () => {}
  webSocket.addEventListener('message', ({ data }) => {
    heard.push(data)
    tell()
  })
  webSocket.accept({ allowHalfOpen: true })
  webSocket.binaryType = 'arraybuffer'
  return async () => {
    while (heard.length === 0)
      await within(new Promise<void>((resolve) => (tell = resolve)), 'a message')
    return heard.shift()
  }
}

async function inflated(message: unknown): Promise<string> {
  if (!(message instanceof ArrayBuffer)) throw new Error(`not binary: ${message}`)
  const stream = new Blob([message]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Response(stream).text()
}

async function deliverAll(link: TestLink) {
  await link.deliver([large()])
  await link.deliver([orderChange()])
}

it('P45 who asks with deflate=1 gets large frames deflated, live and caught up; small ones as text', async () => {
  const link = await openLink()
  const plain = await subscribe()
  const live = await rawSocket('?acks=1&deflate=1')
  expect(JSON.parse(String(await live()))).toMatchObject({ type: 'hello' })
  await plain.frame('hello')
  await deliverAll(link)
  const [first, second] = [await plain.text(), await plain.text()]
  expect((JSON.parse(first) as Extract<Frame, { type: 'changes' }>).changes).toHaveLength(1)
  expect(await inflated(await live())).toBe(first)
  expect(await live()).toBe(second)

  const late = await rawSocket('?deflate=1&after=0')
  expect(JSON.parse(String(await late()))).toMatchObject({ type: 'hello' })
  expect(JSON.parse(await inflated(await late()))).toMatchObject({ after: 0, through: 2 })
})

it('P45 it is remembered while the shard sleeps', async () => {
  const link = await openLink()
  const live = await rawSocket('?deflate=1')
  await live()
  await evictDurableObject(shard())
  await link.deliver([large()])
  expect(await inflated(await live())).toContain('xxxxx')
})

it('P45 server-sent events are text, whatever is asked for', async () => {
  const link = await openLink()
  await link.deliver([large()])
  const { body } = await worker.fetch('http://belfry.test/api/changes/stream?deflate=1&after=0')
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('xxxxx')) text += (await within(reader?.read() ?? never, 'a page'))?.value
  await reader?.cancel()
})

it('P60 deflate=2 closes with 4400', async () => {
  const subscriber = await openSocket('/api/changes/ws?deflate=2')
  expect(await within(subscriber.closed, 'the close')).toMatchObject({
    code: closeCodes.bad_request.code,
  })
})

const never = new Promise<undefined>(() => {})
