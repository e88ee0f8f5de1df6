import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { endpointView } from '../../client/cli/webhook-endpoints.ts'
import { ruleText } from '../../client/cli/webhook-report.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const id = '0f0e0d0c-0b0a-4900-8807-060504030201'
const well = {
  state: 'on',
  off_reason: null,
  off_since: null,
  failing_since: null,
  failures: 0,
  last_error: null,
  last_success_at: null,
  next_at: null,
  counts: { queued: 0, sent: 7, parked: 0 },
} as const
const endpoint = {
  id,
  url: 'https://example.com/hooks',
  description: 'the warehouse',
  enabled: true,
  rules: [
    { table: 'orders', ops: ['update'], when: { status: { became: ['filled', 'shipped'] } } },
  ],
  health: well,
}
const delivery = {
  id: 57,
  type: 'orders.update',
  change: '0f0e0d0c-0b0a-4900-8807-060504030202',
  table: 'orders',
  key: '42',
  state: 'parked',
  attempts: 8,
  next_at: null,
  last_error: 'The endpoint answered 500: no',
  created_at: '2026-11-21T08:00:00.000Z',
  sent_at: null,
}

async function belfry(
  args: string[],
  answer: (asked: Asked) => Answered = () => ({ body: null }),
  env: Record<string, string> = { BELFRY_ADMIN_TOKEN: 'secret' },
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['webhooks', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('webhooks list', () => {
  it('tells of each how it fares, page after page, with the admin token', async () => {
    const { status, out, asked } = await belfry(['list'], ({ query }) => ({
      body: { webhooks: [endpoint], next_cursor: query.cursor ? null : 'next' },
    }))
    expect(status).toBe(0)
    expect(out).toBe(
      `${id}  on  https://example.com/hooks\n  the warehouse\n  orders update when status became filled or shipped\n  7 sent\n`.repeat(
        2,
      ),
    )
    expect(asked).toMatchObject([
      { path: '/api/webhooks', query: {}, authorization: 'Bearer secret' },
      { path: '/api/webhooks', query: { cursor: 'next' } },
    ])
  })

  it('says what is wrong with one that was switched off', () => {
    const health = {
      ...well,
      state: 'off' as const,
      off_reason: 'failing',
      failing_since: '2026-11-21T08:00:00.000Z',
      last_error: 'The endpoint answered 500',
    }
    const now = Date.parse('2026-11-22T09:00:00.000Z')
    const view = endpointView({ ...endpoint, health }, now, new FakeTerminal().paint)
    expect(view).toMatch('off, after a day of failures')
    expect(view).toMatch(/fails for .*: The endpoint answered 500/)
  })

  it('nothing that an endpoint says can play tricks on the terminal', () => {
    const evil = '\u001b[2Jgone'
    const rules = [{ table: evil, ops: [evil], when: { [evil]: { is: [evil] } } }]
    const health = { ...well, failing_since: '2026-11-21T08:00:00.000Z', last_error: evil }
    const all = { id: evil, url: evil, description: evil, enabled: true, rules, health }
    expect(endpointView(all, 0, new FakeTerminal().paint)).not.toContain('\u001b')
  })

  it.each([
    [{}, 'orders insert'],
    [{ status: { changed: true } }, 'orders insert when status changed'],
    [{ a: { is: [1, null] }, b: { was: ['x'] } }, 'orders insert when a is 1 or null and b was x'],
  ])('reads a condition of %j aloud', (when, text) => {
    expect(ruleText({ table: 'orders', ops: ['insert'], when })).toBe(text)
  })
})

describe('webhooks add', () => {
  it('registers an endpoint and prints its secret once', async () => {
    const { status, out, err, asked } = await belfry(
      [
        'add',
        'https://example.com/hooks',
        ...['--table', 'orders', '--table', 'shop.carts', '--op', 'insert, update'],
        ...['--when', '{"status":{"became":["filled"]}}', '--description', 'the warehouse'],
      ],
      () => ({ status: 201, body: { ...endpoint, secret: 'whsec_abc' } }),
    )
    expect(status).toBe(0)
    expect(out).toContain('secret  whsec_abc\n')
    expect(err).toMatch('not shown again')
    const rule = { ops: ['insert', 'update'], when: { status: { became: ['filled'] } } }
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/api/webhooks',
        authorization: 'Bearer secret',
        body: {
          url: 'https://example.com/hooks',
          description: 'the warehouse',
          rules: [
            { table: 'orders', ...rule },
            { table: 'shop.carts', ...rule },
          ],
        },
      },
    ])
  })

  it('passes on what the worker refuses, field by field', async () => {
    const { status, err } = await belfry(['add', 'http://10.0.0.1/', '--table', 'orders'], () => ({
      status: 400,
      body: {
        title: 'The body is not what this route takes',
        detail: 'url: must begin with https://',
        errors: [{ path: 'url', message: 'must begin with https://' }],
      },
    }))
    expect({ status, err }).toEqual({
      status: 1,
      err: '✗ The body is not what this route takes.\n  url: must begin with https://\n',
    })
  })
})

describe('webhooks on, off, remove, rotate, test', () => {
  it.each([
    [['on', id], 'PATCH', '', { enabled: true }, /It is on\. 3 parked: .*redrive/],
    [['off', id], 'PATCH', '', { enabled: false }, /It is off/],
    [['remove', id, '--yes'], 'DELETE', '', null, /gone/],
    [['rotate', id], 'POST', '/rotate-secret', null, /good until 2026-11-22/],
    [['test', id], 'POST', '/test', null, new RegExp(delivery.change)],
  ])('%j', async (args, method, path, body, said) => {
    const { status, err, asked } = await belfry(args, () =>
      method === 'DELETE'
        ? { status: 204 }
        : {
            body: {
              ...endpoint,
              health: { ...well, counts: { parked: 3 } },
              secret: 'whsec_new',
              previous_secret_until: '2026-11-22T08:00:00.000Z',
              change: delivery.change,
            },
          },
    )
    expect({ status, err }).toEqual({ status: 0, err: expect.stringMatching(said) })
    expect(asked).toMatchObject([
      { method, path: `/api/webhooks/${id}${path}`, body, authorization: 'Bearer secret' },
    ])
  })

  it('rotate prints the secret alone, so that it can be piped', async () => {
    const { out } = await belfry(['rotate', id], () => ({
      body: { secret: 'whsec_new', previous_secret_until: '2026-11-22T08:00:00.000Z' },
    }))
    expect(out).toBe('whsec_new\n')
  })
})

describe('webhooks deliveries', () => {
  it('lists them as a table, of a state and page after page', async () => {
    const { status, out, asked } = await belfry(
      ['deliveries', id, '--state', 'parked', '--all'],
      ({ query }) => ({
        body: { deliveries: [delivery], next_cursor: query.cursor ? null : 'next' },
      }),
    )
    expect(status).toBe(0)
    expect(out.split('\n')[1]).toMatch(/57 +parked +orders.update +42 +8 .* answered 500: no/)
    expect(out.trimEnd().split('\n')).toHaveLength(3)
    expect(asked.map(({ query }) => query)).toEqual([
      { state: 'parked', limit: '200' },
      { state: 'parked', limit: '200', cursor: 'next' },
    ])
  })
})

describe('webhooks redrive', () => {
  const counting = ({ body }: Asked): Answered => ({
    body: (body as { dry_run?: true } | null)?.dry_run ? { matching: 3 } : { redriven: 3 },
  })

  it('tries one again', async () => {
    const { status, asked } = await belfry(['redrive', id, '57'], counting)
    expect(status).toBe(0)
    expect(asked).toMatchObject([
      { method: 'POST', path: `/api/webhooks/${id}/deliveries/57/redrive` },
    ])
  })

  it('counts many first, and does it with --yes only', async () => {
    const args = ['redrive', id, '--state', 'parked']
    const unsure = await belfry(args, counting)
    expect(unsure).toMatchObject({ status: 2, err: expect.stringMatching(/3 deliveries.*--yes/) })
    const dry = await belfry([...args, '--dry-run'], counting)
    expect(dry).toMatchObject({ status: 0, err: expect.stringMatching(/3 deliveries would/) })
    const sure = await belfry([...args, '--yes'], counting)
    expect(sure).toMatchObject({ status: 0, err: '3 deliveries are tried again.\n' })
    expect([unsure, dry].flatMap(({ asked }) => asked)).toMatchObject([
      { body: { filter: { state: 'parked' }, dry_run: true } },
      { body: { filter: { state: 'parked' }, dry_run: true } },
    ])
    expect(sure.asked[1]).toMatchObject({ body: { filter: { state: 'parked' } } })
  })
})

describe('bad input', () => {
  it.each([
    [[], /say what to do: list, add/],
    [['lst'], /did you mean "list"/],
    [['add'], /the url is missing/],
    [['add', 'https://example.com'], /--table is missing/],
    [['add', 'https://example.com', '--table', 'orders', '--when', '{'], /--when takes JSON/],
    [['on'], /the id is missing/],
    [['on', '42'], /"42" is no id of a webhook/],
    [['remove', id], /add --yes/],
    [['deliveries', '../orders'], /is no id of a webhook/],
    [['redrive', id, 'x'], /the delivery takes a whole number/],
    [['redrive', id, '57', '--dry-run'], /leave out/],
    [['redrive', id, '--dry-run', '--yes'], /give one of them/],
  ])('webhooks %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args)
    expect(status).toBe(2)
    expect(err).toMatch(sentence)
    expect(asked).toEqual([])
  })

  it('without a token nothing is asked', async () => {
    const { status, err, asked } = await belfry(['list'], undefined, {})
    expect({ status, asked }).toEqual({ status: 1, asked: [] })
    expect(err).toMatch('BELFRY_ADMIN_TOKEN')
  })
})
