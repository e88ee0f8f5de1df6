import { OpenAPIHono } from '@hono/zod-openapi'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { onError } from '../../worker/api/problem.ts'
import { ARRIVAL_MS } from '../../worker/doors/arriving-body.ts'
import { MAX_DEPTH } from '../../worker/doors/json-bytes.ts'
import { bodyOfAtMost } from '../../worker/doors/strict-body.ts'

const MAX_BYTES = 200
const small = new OpenAPIHono()
small.onError(onError)
small.use(bodyOfAtMost(MAX_BYTES))
small.all('/', async (c) => {
  const text = await c.req.text()
  return c.json({ text, json: text === '' ? null : JSON.parse(text) })
})

afterEach(() => {
  vi.useRealTimers()
})

async function send(body: BodyInit | null, headers: HeadersInit = {}, method = 'POST') {
  const answer = await small.request('/', { method, body, headers })
  return { status: answer.status, ...(await answer.json<{ code?: string; detail?: string }>()) }
}

/** Chunked: nothing says how long it is. */
function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream {
  const encoder = new TextEncoder()
  const parts = chunks.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  return (ReadableStream as unknown as { from(of: Uint8Array[]): ReadableStream }).from(parts)
}

const bytes = (...each: number[]) => Uint8Array.from(each)
const quoted = (inside: Uint8Array) => bytes(0x22, ...inside, 0x22)
const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('P98 a body that is refused', () => {
  const cases: [what: string, body: BodyInit, headers: HeadersInit, code: string][] = [
    ['a byte too many, as declared', `"${'x'.repeat(MAX_BYTES - 1)}"`, {}, 'body_too_large'],
    ['a byte too many, in chunks', streamOf('"', 'x'.repeat(199), '"'), {}, 'body_too_large'],
    ['a length that lies', streamOf('x'.repeat(201)), { 'content-length': '2' }, 'body_too_large'],
    ['a length that frightens', streamOf('1'), { 'content-length': '201' }, 'body_too_large'],
    ['gzip', bytes(0x1f, 0x8b, 8, 0), { 'content-encoding': 'gzip' }, 'unsupported_media_type'],
    ['two encodings', '1', { 'content-encoding': 'identity, br' }, 'unsupported_media_type'],
    ['UTF-16, said', '1', { 'content-type': 'a/json;charset=utf-16' }, 'unsupported_media_type'],
    ['UTF-16, not said', bytes(0xff, 0xfe, 0x31, 0), {}, 'invalid_body'],
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, 0x31), {}, 'invalid_body'],
    ['a lone continuation byte', quoted(bytes(0x80)), {}, 'invalid_body'],
    ['an overlong slash', quoted(bytes(0xc0, 0xaf)), {}, 'invalid_body'],
    ['half a surrogate pair', quoted(bytes(0xed, 0xa0, 0x80)), {}, 'invalid_body'],
    ['a character cut off', bytes(0x22, 0xe2, 0x82), {}, 'invalid_body'],
    ['lists, a level too deep', lists(MAX_DEPTH + 1), {}, 'invalid_body'],
    ['objects, a level too deep', '{"":'.repeat(33), {}, 'invalid_body'],
    ['a member __proto__', '[{"__proto__":{}}]', {}, 'invalid_body'],
    ['a member __proto__, escaped', '{"\\u005f_proto\\u005f_":1}', {}, 'invalid_body'],
    ['depth behind a quoted quote', `["\\"",${lists(MAX_DEPTH)}]`, {}, 'invalid_body'],
  ]
  it.each(cases)('%s', async (_what, body, headers, code) => {
    const answer = await send(body, headers)
    expect(answer).toMatchObject({ code, detail: expect.any(String) })
  })

  it('one that never comes to its end is given up after its time, and not before', async () => {
    vi.useFakeTimers()
    let cancelled = false
    const endless = new ReadableStream({
      start: (controller) => controller.enqueue(bytes(0x5b)),
      cancel: () => {
        cancelled = true
      },
    })
    let answered = false
    const answer = send(endless).finally(() => {
      answered = true
    })
    await vi.advanceTimersByTimeAsync(ARRIVAL_MS - 1)
    expect(answered).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await answer).toMatchObject({ status: 408, code: 'too_slow' })
    expect(cancelled).toBe(true)
  })

  it('one that breaks off', async () => {
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error('gone')),
    })
    expect(await send(broken)).toMatchObject({ status: 400, code: 'invalid_body' })
  })
})

describe('P98 a body that is read', () => {
  const cases: [what: string, body: BodyInit | null, text: string][] = [
    ['as long as may be', `"${'x'.repeat(MAX_BYTES - 2)}"`, `"${'x'.repeat(MAX_BYTES - 2)}"`],
    ['as deep as may be', lists(MAX_DEPTH), lists(MAX_DEPTH)],
    ['brackets in a text', `"${'['.repeat(40)}"`, `"${'['.repeat(40)}"`],
    ['side by side, not within', `[${'[],'.repeat(31)}[]]`, `[${'[],'.repeat(31)}[]]`],
    ['in chunks that cut a character', streamOf('"', bytes(0xe2), bytes(0x82, 0xac), '"'), '"€"'],
    ['__proto__ as a value', '"__proto__"', '"__proto__"'],
    ['a mark of byte order within', '"\ufeff"', '"\ufeff"'],
    ['nothing', '', ''],
    ['nothing, in chunks', streamOf(), ''],
    ['none', null, ''],
  ]
  it.each(cases)('%s', async (_what, body, text) => {
    expect(await send(body)).toMatchObject({ status: 200, text })
  })

  it('of the identity encoding, in UTF-8 by name', async () => {
    const headers = {
      'content-encoding': 'identity',
      'content-type': 'application/json; charset="UTF-8"',
    }
    expect(await send('1', headers)).toMatchObject({ status: 200, json: 1 })
  })
})
