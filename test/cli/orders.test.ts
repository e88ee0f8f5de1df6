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

const pages = ({ query }: Asked): Answered =>
  query.cursor === undefined
    ? { body: { orders: [order], next_cursor: 'c2' } }
    : { body: { orders: [{ ...order, id: 6 }], next_cursor: null } }

describe('orders list', () => {
  it('shows a table and says that there are more', async () => {
    const { status, out, err, asked } = await belfry(
      [
        'list',
        '--status',
        'filled,shipped',
        '--customer',
        'ada',
        '--sort',
        '-created_at',
        '--limit',
        '1',
      ],
      pages,
    )
    expect(asked[0]?.query).toEqual({
      status: 'filled,shipped',
      customer: 'ada',
      sort: '-created_at',
      limit: '1',
    })
    expect(out).toBe(
      [
        'id  customer      product            status  amount  e-mail  user  version  updated (UTC)',
        ' 7  Ada Lovelace  Difference engine  filled  249.50             3        3  2026-11-21 09:00:01',
        '',
      ].join('\n'),
    )
    expect([status, err]).toEqual([
      0,
      'There are more: --all lists them, --limit takes up to 200.\n',
    ])
  })

  it('--all follows the pages; --json prints the rows', async () => {
    const { out, err, asked } = await belfry(['list', '--all', '--json'], pages)
    expect(JSON.parse(out)).toEqual([order, { ...order, id: 6 }])
    expect(asked.map(({ query }) => query)).toEqual([
      { limit: '200' },
      { limit: '200', cursor: 'c2' },
    ])
    expect(err).toBe('')
  })

  it('says when there are none', async () => {
    const { status, out, err } = await belfry(['list'], () => ({
      body: { orders: [], next_cursor: null },
    }))
    expect([status, out, err]).toEqual([0, '', 'No order is like that.\n'])
  })
})

describe('orders get, create, update, delete', () => {
  it('get reads one', async () => {
    const { out, asked } = await belfry(['get', '7', '--json'], () => ({ body: order }))
    expect(JSON.parse(out)).toEqual(order)
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/api/orders/7' })
  })

  it('create sends what was said, the amount digit by digit', async () => {
    const { asked, out } = await belfry(
      [
        'create',
        '--customer',
        'Ada',
        '--product',
        'Engine',
        '--amount',
        '12.10',
        '--email',
        'a@x.org',
        '--user',
        '3',
      ],
      () => ({ status: 201, body: order }),
    )
    expect(asked[0]).toEqual({
      method: 'POST',
      path: '/api/orders',
      authorization: null,
      query: {},
      headers: expect.anything(),
      body: {
        customer_name: 'Ada',
        product_name: 'Engine',
        amount: '12.10',
        customer_email: 'a@x.org',
        customer_id: 3,
      },
    })
    expect(out).toMatch('Ada Lovelace')
  })

  it('update sends only what was said; an empty address is none, and so is an empty user', async () => {
    const { asked } = await belfry(
      ['update', '7', '--status', 'FILLED', '--email', '', '--user', ''],
      () => ({
        body: order,
      }),
    )
    expect(asked.at(-1)).toMatchObject({
      method: 'PATCH',
      path: '/api/orders/7',
      body: { status: 'FILLED', customer_email: null, customer_id: null },
    })
  })

  it('delete deletes', async () => {
    const { status, err, asked } = await belfry(['delete', '7'], () => ({ status: 204 }))
    expect([status, err, asked[0]?.method]).toEqual([0, 'Order 7 is deleted.\n', 'DELETE'])
    expect(asked[0]?.headers).not.toHaveProperty('if-match')
    const one = await belfry(['delete', '7', '--if-version', '3'], () => ({ status: 204 }))
    expect(one.asked[0]?.headers['if-match']).toBe('"3"')
  })
})

describe('what goes wrong', () => {
  it('P60 a problem is a sentence, with the fields that are wrong, and exit 1', async () => {
    const { status, err } = await belfry(
      ['create', '--customer', '', '--product', 'x', '--amount', 'x'],
      () => ({
        status: 400,
        type: 'application/problem+json',
        body: {
          type: '/docs/problems#invalid_body',
          title: 'The body is not what this route takes',
          status: 400,
          code: 'invalid_body',
          detail: 'two fields are wrong',
          retry: false,
          errors: [
            { path: 'customer_name', message: 'must not be empty' },
            { path: 'amount', message: 'must be a number' },
          ],
        },
      }),
    )
    expect(status).toBe(1)
    expect(err).toBe(
      '✗ The body is not what this route takes: two fields are wrong.\n  customer_name: must not be empty\n  amount: must be a number\n',
    )
  })

  it('a problem that may pass says so', async () => {
    const { err } = await belfry(['get', '7'], () => ({
      status: 503,
      body: { title: 'The database cannot be reached', retry: true },
    }))
    expect(err).toBe('✗ The database cannot be reached. The same may succeed later.\n')
  })

  it.each<[string, Answered, RegExp]>([
    ['another server', { body: '<html>' }, /answered something else than Belfry does/],
    ['a proxy that fails', { status: 502, body: '<html>' }, /answered 502 and did not say why/],
  ])('%s is told from Belfry', async (_, answered, sentence) => {
    const { status, err } = await belfry(['get', '7'], () => answered)
    expect([status, sentence.test(err)]).toEqual([1, true])
  })

  it('a worker that is not there, or not known, says what to do', async () => {
    const terminal = new FakeTerminal()
    expect(await run(['orders', 'list'], terminal)).toBe(1)
    expect(terminal.stderr).toBe(
      '✗ No worker is known here: start one with `npm start`, or set BELFRY_URL to its address.\n',
    )
    const gone = new FakeTerminal()
    gone.env = { BELFRY_URL: await closedAddress() }
    expect(await run(['orders', 'list'], gone)).toBe(1)
    expect(gone.stderr).toMatch(
      /cannot be reached \(ECONNREFUSED\): start it with `npm start`, or set BELFRY_URL/,
    )
  })

  it.each([
    [[], 'orders: say what to do: list, get, create, update, delete, life.'],
    [
      ['lst'],
      'orders: there is no "lst" (did you mean "list"?); there are list, get, create, update, delete, life.',
    ],
    [['get'], 'the id is missing.'],
    [['get', 'x'], 'the id takes a whole number from 0, not "x".'],
    [['create', '--customer', 'Ada'], '--product is missing.'],
    [
      ['update', '7'],
      'say what to change: --customer, --product, --amount, --status, --email, --user.',
    ],
    [
      ['update', '7', '--status', 'x', '--force', '--if-version', '3'],
      '--if-version changes one version, and --force any: give one of them.',
    ],
    [
      ['update', '7', '--status', 'x', '--if-version', 'new'],
      '--if-version takes a whole number from 0, not "new".',
    ],
    [['list', '--all', '--limit', '3'], '--all has no --limit: give one of them.'],
  ])('%j is a wrong command line, exit 2', async (args, sentence) => {
    const terminal = new FakeTerminal()
    expect(await run(['orders', ...args], terminal)).toBe(2)
    expect(terminal.stderr).toBe(`belfry: ${sentence}\n`)
  })
})

async function closedAddress(): Promise<string> {
  const worker = await serveWorker(() => ({}))
  await worker[Symbol.asyncDispose]()
  return worker.url
}
