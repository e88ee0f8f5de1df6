import { describe, expect, it } from 'vitest'
import type { OrderLife } from '../../client/cli/order-life.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

async function belfry(args: string[], answer: (asked: Asked) => Answered) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, BELFRY_ADMIN_TOKEN: 'secret' }
  const status = await run(args, terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

const entry = {
  id: 1_207,
  at: '2026-11-21T08:33:55.123456+00:00',
  request: '4f8d1f6e-7a40-4a51-8c5d-6f0a2a5c9e11',
  principal: 'key:7',
  name: 'the warehouse',
  role: 'belfry_worker',
  action: 'update',
  table: 'orders',
  key: '42',
  version: 3,
  changed: { status: ['pending', 'filled'], content: [] },
}

describe('audit', () => {
  it('P104 asks for what was said, and shows who changed what', async () => {
    const { out, asked } = await belfry(
      [
        'audit',
        '--principal',
        'key:7',
        '--table',
        'orders',
        '--key',
        '42',
        '--request',
        'r',
        '--limit',
        '2',
      ],
      () => ({ body: { audit: [entry], next_cursor: null } }),
    )
    expect(asked).toMatchObject([
      {
        path: '/api/audit',
        query: { principal: 'key:7', table: 'orders', key: '42', request: 'r', limit: '2' },
        authorization: 'Bearer secret',
      },
    ])
    expect(out.split('\n')[1]).toBe(
      '2026-11-21 08:33:55  key:7 (the warehouse)  update  orders 42        3  status pending → filled · content (not kept)',
    )
  })

  it('--json has the whole of it, and nothing is said in a sentence', async () => {
    const body = { audit: [entry], next_cursor: null }
    const { out } = await belfry(['audit', '--json'], () => ({ body }))
    const { role: _, ...told } = entry
    expect(JSON.parse(out)).toEqual([told])
    const none = await belfry(['audit'], () => ({ body: { audit: [], next_cursor: null } }))
    expect([none.status, none.err]).toEqual([0, 'Nothing like that was done over the API.\n'])
  })

  it('an act notes what it likes, and cannot write to the terminal', async () => {
    const act = {
      ...entry,
      principal: 'token:a\u001b[2J',
      name: null,
      changed: { count: 5, why: 'x\u001b]' },
    }
    const { out } = await belfry(['audit'], () => ({ body: { audit: [act], next_cursor: null } }))
    expect(out).toMatch('count 5 · why x')
    expect(out).not.toMatch('\u001b')
  })
})

const told: OrderLife = {
  order: { id: 42, customer_name: 'Ada', status: 'filled', version: 6 },
  versions: [
    {
      version: 1,
      at: '2026-11-21T08:00:00+00:00',
      by: 'user:3',
      name: 'Ada',
      request: 'r1',
      action: 'insert',
      changed: { status: [null, 'pending'] },
    },
    { versions: [2, 4], by: 'sql' },
    { versions: [5, 5], by: 'sql' },
    {
      version: 6,
      at: '2026-11-21T08:05:00+00:00',
      by: 'operator',
      name: null,
      request: 'r2',
      action: 'update',
      changed: { status: ['pending', 'filled'] },
    },
  ],
  notifications: [
    { id: 9, user: 3, title: 'Filled', state: 'scheduled', delivered_at: null, version: 6 },
  ],
  mails: [
    {
      id: 5,
      recipient: 'ada@example.com',
      state: 'sent',
      rule: 'order-filled',
      change: '00000000-0000-4000-8000-000000000006',
      notification: null,
      version: 6,
      at: '2026-11-21T08:05:01+00:00',
    },
  ],
}

describe('orders life', () => {
  it('P104 tells of each version who made it, who was told, and by which mail', async () => {
    const { out, asked } = await belfry(['orders', 'life', '42'], () => ({ body: told }))
    expect(asked).toMatchObject([{ path: '/api/orders/42/life', authorization: 'Bearer secret' }])
    expect(out).toBe(
      [
        'order 42  of Ada, filled, version 6',
        '',
        'versions (UTC)',
        '  1  2026-11-21 08:00:00  insert by user:3 (Ada)  status pending',
        '  2 to 4  by SQL: who, nobody wrote down',
        '  5  by SQL: who, nobody wrote down',
        '  6  2026-11-21 08:05:00  update by operator  status pending → filled',
        '',
        'told (UTC)',
        '  not yet              user 3  scheduled  Filled  notification 9 of version 6',
        '',
        'mails (UTC)',
        '  2026-11-21 08:05:01  ada@example.com  sent  order-filled  mail 5 of version 6',
        '',
      ].join('\n'),
    )
  })

  it('P104 of an order that is gone too, and whole with --json', async () => {
    const deletion = { ...told.versions[3], version: null, action: 'delete', changed: {} }
    const gone = { order: null, versions: [deletion], notifications: [], mails: [] }
    const { out } = await belfry(['orders', 'life', '42'], () => ({ body: gone }))
    expect(out).toBe(
      'order 42  deleted\n\nversions (UTC)\n  -  2026-11-21 08:05:00  delete by operator\n',
    )
    const json = await belfry(['orders', 'life', '42', '--json'], () => ({ body: told }))
    expect(JSON.parse(json.out)).toEqual(told)
  })
})
