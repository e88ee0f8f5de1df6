import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tableReader } from '../../client/sdk/table-reader.ts'
import type { Token } from '../../client/sdk/token.ts'

type Asked = { url: URL; init: RequestInit }

const url = 'http://127.0.0.1:8787'
const live = () => new AbortController().signal

/** A worker that gives these answers, one after another, and keeps what it was asked. */
function worker(answers: (Response | Error | (() => Promise<Response>))[]) {
  const asked: Asked[] = []
  const fetchPage = async (input: Parameters<typeof fetch>[0], init: RequestInit = {}) => {
    asked.push({ url: new URL(String(input)), init })
    const answer = answers.shift()
    if (answer instanceof Error || answer === undefined) throw answer ?? new Error('one too many')
    return typeof answer === 'function' ? answer() : answer
  }
  const read = (options: { url?: string; table?: string; token?: Token } = {}) =>
    tableReader({ url, table: 'orders', ...options }, fetchPage)
  const tokens = () => asked.map(({ init }) => new Headers(init.headers).get('authorization'))
  return { asked, read, tokens }
}

function page(ids: number[], next_cursor: string | null = null, oversize: object[] = []) {
  const rows = ids.map((id) => ({ id }))
  return Response.json({ table: 'orders', key: ['id'], rows, oversize, next_cursor })
}

function problem(status: number, title: string, detail?: string) {
  return Response.json({ status, title, detail }, { status })
}

describe('reading a table', () => {
  it('follows the cursor to the last page', async () => {
    const { read, asked } = worker([page([1, 2], 'c1', [{ id: 9 }]), page([], 'c2'), page([3])])
    expect(await read()(live())).toEqual({
      rows: [{ id: 1 }, { id: 2 }, { id: 3 }],
      key: ['id'],
      oversize: [{ id: 9 }],
    })
    expect(asked.map(({ url }) => `${url.pathname}${url.search}`)).toEqual([
      '/api/tables/orders/rows?limit=1000',
      '/api/tables/orders/rows?limit=1000&cursor=c1',
      '/api/tables/orders/rows?limit=1000&cursor=c2',
    ])
    expect(asked.map(({ init }) => init.cache)).toEqual(['no-store', 'no-store', 'no-store'])
  })

  it.each([
    [
      'https://belfry.example/base',
      'shop.items',
      'https://belfry.example/base/api/tables/shop.items/rows',
    ],
    ['ws://127.0.0.1:8787', 'a/b?c#d e', 'http://127.0.0.1:8787/api/tables/a%2Fb%3Fc%23d%20e/rows'],
  ])('at %s of "%s" asks %s', async (url, table, address) => {
    const { read, asked } = worker([page([])])
    await read({ url, table })(live())
    expect(`${asked[0]?.url.origin}${asked[0]?.url.pathname}`).toBe(address)
  })

  it('sends a text as bearer token with each page, and nothing without one', async () => {
    const { read, tokens } = worker([page([1], 'c'), page([2]), page([])])
    await read({ token: 'abc' })(live())
    await read()(live())
    expect(tokens()).toEqual(['Bearer abc', 'Bearer abc', null])
  })

  it('asks a function before each reading, and again when its token is refused on the way', async () => {
    const given = ['one', 'two', 'three']
    const token = async () => given.shift() ?? ''
    const { read, tokens } = worker([
      page([1], 'c'),
      problem(401, 'no'),
      page([2]),
      problem(401, 'Credentials are missing or wrong'),
    ])
    const readTable = read({ token })
    expect((await readTable(live())).rows).toHaveLength(2)
    await expect(readTable(live())).rejects.toThrow('Credentials are missing or wrong')
    expect(tokens()).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer three'])
  })

  it('passes on that the answer is no longer wanted', async () => {
    const controller = new AbortController()
    const { read, asked } = worker([
      async () => {
        controller.abort(new Error('not wanted'))
        throw new Error('aborted')
      },
    ])
    await expect(read()(controller.signal)).rejects.toThrow('not wanted')
    expect(asked[0]?.init.signal?.aborted).toBe(true)
  })
})

describe('P60 what goes wrong is said in words, without the token', () => {
  it.each([
    [
      'a problem',
      problem(404, 'There is nothing here', '"orders" is not watched.'),
      'There is nothing here: "orders" is not watched.',
    ],
    [
      'a problem without detail',
      problem(503, 'The database cannot be reached'),
      'The database cannot be reached',
    ],
    [
      'what is no problem',
      new Response('<html>', { status: 502 }),
      'the worker answered 502 and did not say why',
    ],
    [
      'what is no page',
      Response.json([]),
      'http://127.0.0.1:8787 answered something else than rows',
    ],
    [
      'a page that is cut off',
      new Response('{"key":["id"],"rows":[{"id'),
      'answered something else than rows',
    ],
    [
      'no answer',
      new TypeError('fetch failed for abc'),
      'the rows of "orders" could not be read: fetch failed for …',
    ],
    [
      'an answer with the token',
      problem(401, 'abc is not known', 'Not abc.'),
      '… is not known: Not ….',
    ],
  ])('%s', async (_, answer, words) => {
    const { read } = worker([answer])
    const failure = await read({ token: 'abc' })(live()).catch((error: Error) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(String(failure)).toContain(words)
    expect(String(failure)).not.toContain('abc')
  })

  it('an address or a token that is none is refused before anything is read', () => {
    const { read } = worker([])
    expect(() => read({ url: 'localhost:8787' })).toThrow(/is not an http\(s\) address/)
    expect(() => read({ token: '' })).toThrow(/^token: give a text/)
  })
})

describe('a worker that says when to come back', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const limited = () =>
    Response.json({ title: 'Too many requests' }, { status: 429, headers: { 'retry-after': '3' } })

  it('P101 is asked for the same page then, and what was read is kept', async () => {
    const { read, asked } = worker([page([1], 'c'), limited(), limited(), page([2])])
    const reading = read()(live())
    await vi.advanceTimersByTimeAsync(5_999)
    expect(asked).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    expect((await reading).rows).toEqual([{ id: 1 }, { id: 2 }])
    expect(asked.map(({ url }) => url.searchParams.get('cursor'))).toEqual([null, 'c', 'c', 'c'])
  })

  it('P101 five times in a row has failed', async () => {
    const { read, asked } = worker(Array.from({ length: 5 }, limited))
    const failed = expect(read()(live())).rejects.toThrow('Too many requests')
    await vi.advanceTimersByTimeAsync(60_000)
    await failed
    expect(asked).toHaveLength(5)
  })

  it('is not waited for when the answer is not wanted any more', async () => {
    const controller = new AbortController()
    const { read } = worker([limited()])
    const failed = expect(read()(controller.signal)).rejects.toThrow('not wanted')
    await vi.advanceTimersByTimeAsync(1_000)
    controller.abort(new Error('not wanted'))
    await failed
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a token function that says nothing', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is waited for ten seconds', async () => {
    const { read, asked } = worker([])
    const reading = read({ token: () => new Promise<string>(() => undefined) })(live())
    const failed = expect(reading).rejects.toThrow('there is no token: none was given in 10 s')
    await vi.advanceTimersByTimeAsync(10_000)
    await failed
    expect(asked).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})
