import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const order = {
  id: 7,
  customer_name: 'Ada Lovelace',
  product_name: 'Difference engine',
  status: 'filled',
  amount: 249.5,
  customer_email: null,
  customer_id: 3,
  version: 3,
  created_at: '2026-11-21T08:33:55.123456+00:00',
  updated_at: '2026-11-21T09:00:01.5+00:00',
}

async function belfry(args: string[], answer: (asked: Asked) => Answered) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url }
  const status = await run(['orders', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('who writes twice, or beside another', () => {
  const tagged = (): Answered => ({ body: order, headers: { etag: '"3"' } })
  const update = ['update', '7', '--status', 'FILLED']
  it.each([
    [[], ['GET', 'PATCH'], '"3"'],
    [['--if-version', '2'], ['PATCH'], '"2"'],
    [['--force'], ['PATCH'], '*'],
  ])(
    'P99 update %j changes the version that was read, or the one that is named',
    async (flags, methods, tag) => {
      const { asked } = await belfry([...update, ...flags], tagged)
      expect(asked.map(({ method }) => method)).toEqual(methods)
      expect(asked.at(-1)?.headers['if-match']).toBe(tag)
    },
  )

  it('P99 an order that has moved on is left as it is, and the person told what to do', async () => {
    const moved = { title: 'It has changed since you read it', detail: 'It is now at "4".' }
    const { status, err } = await belfry(update, ({ method }) =>
      method === 'GET' ? tagged() : { status: 412, body: moved },
    )
    expect([status, err]).toEqual([
      1,
      '✗ It has changed since you read it: It is now at "4". `belfry orders get 7` shows what it is now; --force changes it whatever it is.\n',
    ])
  })

  it('P100 create brings a key of its own, and is sent again when the way breaks or it says so', async () => {
    const answers: Answered[] = [
      { breaksOff: true },
      {
        status: 409,
        body: { title: 'A request with that key is under way', code: 'idempotency_in_progress' },
        headers: { 'retry-after': '0' },
      },
      { status: 201, body: order },
    ]
    const create = ['create', '--customer', 'Ada', '--product', 'Engine', '--amount', '1']
    const { status, asked } = await belfry(create, () => answers.shift() ?? {})
    expect([status, asked.length]).toEqual([0, 3])
    const keys = asked.map(({ headers }) => headers['idempotency-key'])
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(new Set(keys).size).toBe(1)
  })

  it('P100 an update whose answer is lost is not sent twice', async () => {
    const { status, err, asked } = await belfry([...update, '--force'], () => ({ breaksOff: true }))
    expect([status, asked.length]).toEqual([1, 1])
    expect(err).toMatch(/cannot be reached/)
  })

  it('P101 too many requests are waited for, and then not for ever', async () => {
    const limited = (retryAfter: string): Answered => ({
      status: 429,
      body: { title: 'Too many requests', retry: true },
      headers: { 'retry-after': retryAfter },
    })
    const answers = [limited('0'), { body: order }]
    const soon = await belfry(['get', '7'], () => answers.shift() ?? {})
    expect([soon.status, soon.asked.length]).toEqual([0, 2])
    const late = await belfry(['get', '7'], () => limited('600'))
    expect([late.asked.length, late.err]).toEqual([
      1,
      '✗ Too many requests. The same may succeed later.\n',
    ])
  })
})
