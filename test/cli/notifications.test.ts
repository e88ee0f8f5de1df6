import { describe, expect, it } from 'vitest'
import { toldView } from '../../client/cli/notification-report.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const at = '2026-11-21T08:33:55.123456+00:00'
const parked = {
  id: 57,
  user_id: 3,
  title: 'Your order was shipped',
  category: 'orders',
  content: { order: 42 },
  link: '/orders/42',
  origin: 'rule 1',
  state: 'parked',
  problem: 'Postgres refused it: out of range',
  scheduled_at: null,
  expires_at: null,
  deliver_at: null,
  delivered_at: null,
  digested: false,
  channels: { inbox: true, mail: true, webhook: false },
  seen: false,
  read: false,
  archived: false,
  version: 2,
  created_at: at,
  updated_at: at,
}

async function belfry(
  args: string[],
  answer: (asked: Asked) => Answered = () => ({ body: parked }),
  env: Record<string, string> = { BELFRY_ADMIN_TOKEN: 'secret' },
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['notifications', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('notifications list', () => {
  it('P89 says of each what became of it and why, page after page', async () => {
    const { status, out, asked } = await belfry(
      ['list', '--state', 'parked,overdue', '--user', '3', '--category', 'orders', '--all'],
      ({ query }) => ({
        body: { notifications: [parked], next_cursor: query.cursor ? null : 'next' },
      }),
    )
    expect(status).toBe(0)
    expect(out.trimEnd().split('\n')).toHaveLength(3)
    expect(out).toMatch(/57 +3 +parked +2026-11-21 08:33:55 +orders +Your order .* out of range/)
    const filter = { state: 'parked,overdue', user: '3', category: 'orders', limit: '200' }
    expect(asked).toMatchObject([
      { path: '/api/notifications', query: filter, authorization: 'Bearer secret' },
      { query: { ...filter, cursor: 'next' } },
    ])
  })

  it('show says all of one', async () => {
    const { out, asked } = await belfry(['show', '57'])
    expect(out).toMatch('notification 57  parked  Your order was shipped\n')
    expect(out).toMatch(/problem +Postgres refused it[\s\S]*channels +inbox, mail\n/)
    expect(out).toMatch(/content +\{"order":42\}\n/)
    expect(asked).toMatchObject([{ path: '/api/notifications/57' }])
  })

  it('P93 nothing that one holds can play tricks on the terminal', () => {
    const evil = '\u001b[2Jgone'
    const texts = { title: evil, category: evil, link: evil, origin: evil, problem: evil }
    const all = { ...parked, ...texts, state: evil, content: { [evil]: evil } }
    expect(toldView(all, new FakeTerminal().paint)).not.toContain('\u001b')
  })
})

describe('notifications cancel, redrive', () => {
  it.each([
    ['cancel', { state: 'cancelled' }, 0, /is cancelled/],
    ['redrive', { state: 'delivered', problem: null }, 0, /57 is delivered now\.\n/],
    ['redrive', { state: 'declined', problem: 'No.' }, 1, /57 is declined now: No\.\n/],
  ])('P89 %s one', async (action, now, exit, said) => {
    const { status, err, asked } = await belfry([action, '57'], () => ({
      body: { ...parked, ...now },
    }))
    expect({ status, err }).toEqual({ status: exit, err: expect.stringMatching(said) })
    expect(asked).toMatchObject([{ method: 'POST', path: `/api/notifications/57/${action}` }])
  })

  const counting = ({ body }: Asked): Answered => ({
    body: (body as { dry_run?: true } | null)?.dry_run
      ? { matching: 3 }
      : { redriven: 3, refused: 0, refusals: [] },
  })

  it('P89 counts many first, and does it with --yes only', async () => {
    const args = ['redrive', '--state', 'parked, overdue', '--user', '3']
    const unsure = await belfry(args, counting)
    expect(unsure).toMatchObject({ status: 2, err: expect.stringMatching(/3 notific.*--yes/) })
    const dry = await belfry([...args, '--dry-run'], counting)
    expect(dry).toMatchObject({ status: 0, err: expect.stringMatching(/3 notifications would/) })
    const sure = await belfry([...args, '--yes'], counting)
    expect(sure).toMatchObject({ status: 0, err: '3 notifications tried again.\n' })
    const filter = { state: ['parked', 'overdue'], user: 3 }
    expect([unsure, dry].flatMap(({ asked }) => asked.map(({ body }) => body))).toEqual([
      { filter, dry_run: true },
      { filter, dry_run: true },
    ])
    expect(sure.asked[1]?.body).toEqual({ filter })
  })

  it('P89 names what the database would not take, and ends with 1', async () => {
    const { status, err, asked } = await belfry(['redrive', '--all', '--yes'], ({ body }) => ({
      body: (body as { dry_run?: true }).dry_run
        ? { matching: 2 }
        : { redriven: 1, refused: 1, refusals: [{ id: 58, message: 'Out of range.' }] },
    }))
    expect(status).toBe(1)
    expect(err).toBe('notification 58: Out of range.\n1 notification tried again, 1 refused.\n')
    expect(asked[1]?.body).toEqual({ filter: {}, all: true })
  })

  it.each([
    [[], /say what to do: list, show/],
    [['lst'], /did you mean "list"/],
    [['show'], /the id is missing/],
    [['cancel', '../users'], /takes a whole number/],
    [['redrive'], /say which/],
    [['redrive', '57', '--state', 'parked'], /say which/],
    [['redrive', '57', '--dry-run'], /an id is one/],
    [['redrive', '--state', 'parked', '--dry-run', '--yes'], /give one of them/],
    [['redrive', '--user', 'ada'], /--user takes a whole number/],
  ])('notifications %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args)
    expect({ status, asked }).toEqual({ status: 2, asked: [] })
    expect(err).toMatch(sentence)
  })

  it('without a token nothing is asked', async () => {
    const { status, err, asked } = await belfry(['list'], undefined, {})
    expect({ status, asked }).toEqual({ status: 1, asked: [] })
    expect(err).toMatch('BELFRY_ADMIN_TOKEN')
  })
})
