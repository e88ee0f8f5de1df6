import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const at = '2026-11-21T08:33:55.123456+00:00'
const ada = {
  id: 42,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  can_receive_notifications: true,
  time_zone: 'Europe/London',
  quiet_hours: { from: '22:00', to: '07:00' },
  digest: 'daily',
  digest_at: '08:00',
  last_opened_at: at,
  version: 3,
  created_at: at,
  updated_at: at,
}

async function belfry(
  args: string[],
  answer: (asked: Asked) => Answered = () => ({ body: ada }),
  env: Record<string, string> = { BELFRY_ADMIN_TOKEN: 'secret' },
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['users', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('users list, get', () => {
  it('shows what they want, page after page', async () => {
    const off = { ...ada, email: null, can_receive_notifications: false, quiet_hours: null }
    const { status, out, asked } = await belfry(['list', '--search', 'ada', '--all'], (asked) => ({
      body: {
        users: asked.query.cursor ? [off] : [ada],
        next_cursor: asked.query.cursor ? null : 'next',
      },
    }))
    expect(status).toBe(0)
    const [, first, second] = out.split('\n')
    expect(first).toMatch(
      /42 {2}Ada Lovelace {2}ada@example.com {2}daily 08:00 {2}Europe\/London {2}22:00-07:00 {2}2026-11-21 08:33:55/,
    )
    expect(second).toMatch(/ {2}nothing {6}Europe/)
    expect(asked).toMatchObject([
      {
        path: '/api/users',
        query: { search: 'ada', limit: '200' },
        authorization: 'Bearer secret',
      },
      { query: { cursor: 'next' } },
    ])
  })

  it('get prints one, as it is with --json', async () => {
    const { out, asked } = await belfry(['get', '42', '--json'])
    expect(JSON.parse(out)).toEqual(ada)
    expect(asked).toMatchObject([{ method: 'GET', path: '/api/users/42' }])
  })
})

describe('users create, change, delete', () => {
  const wishes = [
    ...['--email', '', '--notifications', 'off', '--time-zone', 'Europe/Vienna'],
    ...['--quiet', '22:00-07:00', '--digest', 'hourly', '--digest-at', '09:30'],
  ]
  const wished = {
    email: null,
    can_receive_notifications: false,
    time_zone: 'Europe/Vienna',
    quiet_hours: { from: '22:00', to: '07:00' },
    digest: 'hourly',
    digest_at: '09:30',
  }

  it('create makes one with what was said of it', async () => {
    const { status, asked } = await belfry(
      ['create', '--id', '42', '--name', 'Ada', ...wishes],
      () => ({ status: 201, body: ada }),
    )
    expect(status).toBe(0)
    expect(asked).toMatchObject([{ method: 'POST', path: '/api/users' }])
    expect(asked[0]?.body).toEqual({ id: 42, name: 'Ada', ...wished })
  })

  it('create makes a range', async () => {
    const done = { created: 990, changed: 8, unchanged: 2 }
    const { err, asked } = await belfry(
      ['create', '--from', '1', '--to', '1000', '--name', 'Customer {n}'],
      () => ({ body: done }),
    )
    expect(err).toBe('990 created, 8 changed, 2 unchanged.\n')
    expect(asked[0]?.body).toEqual({ from: 1, to: 1_000, name: 'Customer {n}' })
  })

  it('change sends only what was said', async () => {
    const { asked } = await belfry(['change', '42', '--quiet', ''])
    expect(asked).toMatchObject([
      { method: 'GET', path: '/api/users/42' },
      { method: 'PATCH', path: '/api/users/42' },
    ])
    expect(asked[1]?.body).toEqual({ quiet_hours: null })
  })

  it('delete takes one away, with --yes', async () => {
    const { err, asked } = await belfry(['delete', '42', '--yes'], () => ({ status: 204 }))
    expect(err).toBe('User 42 is deleted.\n')
    expect(asked).toMatchObject([{ method: 'DELETE', path: '/api/users/42' }])
  })

  it.each([
    [[], /say what to do: list, get/],
    [['lst'], /did you mean "list"/],
    [['get'], /the id is missing/],
    [['get', 'ada'], /takes a whole number/],
    [['create'], /--name is missing/],
    [['create', '--from', '1', '--name', 'A'], /give --from and --to/],
    [['create', '--from', '1', '--to', '2', '--id', '3'], /choose/],
    [['create', '--name', 'A', '--notifications', 'maybe'], /is on or off/],
    [['create', '--name', 'A', '--quiet', '22:00'], /--quiet takes two/],
    [['create', '--name', 'A', '--quiet', '22:00-'], /--quiet takes two/],
    [['change', '42'], /say what to change/],
    [['change', '42', '--id', '43'], /no flag "--id"/],
    [['delete', '42'], /add --yes/],
    [['load'], /the file is missing/],
  ])('users %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args)
    expect({ status, asked }).toEqual({ status: 2, asked: [] })
    expect(err).toMatch(sentence)
  })
})
