import { describe, expect, it } from 'vitest'
import { parkedView } from '../../client/cli/parked.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const parked = {
  consumer: 'mail',
  position: 'k3v:57',
  attempts: 8,
  error: 'The row was too large to travel.',
  at: '2026-11-21T08:00:00.000Z',
  change: {
    offset: 57,
    id: '0f0e0d0c-0b0a-4900-8807-060504030201',
    table: 'orders',
    op: 'update',
    key: { id: 7 },
    new: null,
    old: null,
    at: '2026-11-21T07:59:00.000000+00:00',
    oversize: true,
  },
} as const

async function belfry(
  args: string[],
  answer: (asked: Asked) => Answered,
  env: Record<string, string> = { BELFRY_ADMIN_TOKEN: 'secret' },
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['parked', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

const nothing = () => ({ body: { parked: [], next_cursor: null } })

describe('parked list', () => {
  it('tells of each where it is, the change, and what its consumer said', () => {
    const now = Date.parse('2026-11-21T08:05:00.000Z')
    const lines = parkedView(parked, now, new FakeTerminal()).split('\n')
    expect(lines[0]).toBe('mail k3v:57  8 attempts, the last 5 min ago')
    expect(lines[1]).toMatch(/^ {2}\S+ +#57 update +orders {2}id=7 {2}\(too large to carry/)
    expect(lines[2]).toBe('  The row was too large to travel.')
  })

  it('reads page after page, of one consumer or of all, with the admin token', async () => {
    const { status, out, asked } = await belfry(
      ['list', '--consumer', 'mail', '--json'],
      ({ query }) => ({
        body: query.cursor
          ? { parked: [{ ...parked, position: 'k3v:41' }], next_cursor: null }
          : { parked: [parked], next_cursor: '3' },
      }),
    )
    expect(status).toBe(0)
    expect(JSON.parse(out)).toEqual([parked, { ...parked, position: 'k3v:41' }])
    expect(asked).toMatchObject([
      { path: '/api/admin/parked', query: { consumer: 'mail' }, authorization: 'Bearer secret' },
      { path: '/api/admin/parked', query: { consumer: 'mail', cursor: '3' } },
    ])
  })

  it('says so when there is nothing', async () => {
    expect(await belfry(['list'], nothing)).toMatchObject({
      status: 0,
      out: '',
      err: 'Nothing is parked.\n',
    })
  })

  it('nothing that a row or a consumer says can play tricks on the terminal', () => {
    const evil = '\u001b[2Jgone'
    const change = { ...parked.change, table: evil, key: { id: evil } }
    const view = parkedView(
      { ...parked, consumer: evil, error: evil, change },
      0,
      new FakeTerminal(),
    )
    expect(view).not.toContain('\u001b')
  })
})

describe('parked redrive', () => {
  it('hands one over again and says what came of it', async () => {
    const handled = await belfry(['redrive', 'mail', 'k3v:57'], () => ({
      body: { outcome: 'handled' },
    }))
    expect(handled).toMatchObject({ status: 0, err: 'It is handled, and parked no more.\n' })
    expect(handled.asked).toMatchObject([
      {
        method: 'POST',
        path: '/api/admin/parked/mail/k3v%3A57/redrive',
        authorization: 'Bearer secret',
      },
    ])
    const failed = await belfry(['redrive', 'mail', '57'], () => ({
      body: { outcome: 'failed', attempts: 9, error: 'Still too large.' },
    }))
    expect(failed).toMatchObject({
      status: 1,
      err: '✗ It failed again (9 attempts by now) and stays parked: Still too large.\n',
    })
  })

  it('passes on what the worker refuses', async () => {
    const { status, err } = await belfry(['redrive', 'mail', '57'], () => ({
      status: 404,
      body: { title: 'There is nothing here', detail: 'Nothing of the consumer mail is parked.' },
    }))
    expect({ status, err }).toEqual({
      status: 1,
      err: '✗ There is nothing here: Nothing of the consumer mail is parked.\n',
    })
  })
})

describe('parked drop', () => {
  it('drops one, and only with --yes', async () => {
    const unsure = await belfry(['drop', 'mail', 'k3v:57'], nothing)
    expect(unsure).toMatchObject({ status: 2, asked: [], err: expect.stringContaining('--yes') })
    const sure = await belfry(['drop', 'mail', 'k3v:57', '--yes'], () => ({ status: 204 }))
    expect(sure).toMatchObject({ status: 0, err: 'It is dropped.\n' })
    expect(sure.asked).toMatchObject([
      { method: 'DELETE', path: '/api/admin/parked/mail/k3v%3A57' },
    ])
  })
})

describe('bad input', () => {
  it.each([
    [[], /say what to do: list, redrive, drop/],
    [['lst'], /did you mean "list"/],
    [['redrive', 'mail'], /the position is missing/],
    [['drop', '--yes'], /the consumer is missing/],
    [['list', 'mail'], /one word too many/],
  ])('parked %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args, nothing)
    expect(status).toBe(2)
    expect(err).toMatch(sentence)
    expect(asked).toEqual([])
  })

  it('without a token nothing is asked', async () => {
    const { status, err, asked } = await belfry(['list'], nothing, {})
    expect({ status, asked }).toEqual({ status: 1, asked: [] })
    expect(err).toMatch('BELFRY_ADMIN_TOKEN')
  })
})
