import { describe, expect, it } from 'vitest'
import { readMoment } from '../../client/cli/moment.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const told = { notifications: 2, delivered: 1, scheduled: 0, declined: 1, ids: [57, 58] }

async function notify(
  args: string[],
  answer: (asked: Asked) => Answered = () => ({ status: 201, body: told }),
  input = '',
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.input = input
  terminal.env = { BELFRY_URL: worker.url, BELFRY_ADMIN_TOKEN: 'secret' }
  const status = await run(['notify', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('notify', () => {
  it('tells those who are named, with all that was said', async () => {
    const { status, err, asked } = await notify([
      ...[
        '--user',
        '3',
        '--user',
        '4',
        '--user',
        '3',
        '--title',
        'Shipped',
        '--category',
        'orders',
      ],
      ...['--link', '/orders/42', '--content', '{"order": 42}', '--key', 'a-1'],
      ...['--at', '2026-12-24T18:00:00+01:00', '--expires', '2026-12-25T18:00:00+01:00'],
    ])
    expect(status).toBe(0)
    expect(err).toMatch('2 notifications: 1 delivered, 1 declined (ids 57, 58).')
    expect(err).toMatch('belfry notifications show <id>')
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/api/notifications',
        authorization: 'Bearer secret',
        headers: { 'idempotency-key': 'a-1' },
      },
    ])
    expect(asked[0]?.body).toEqual({
      user_ids: [3, 4],
      title: 'Shipped',
      category: 'orders',
      link: '/orders/42',
      content: { order: 42 },
      scheduled_at: '2026-12-24T17:00:00.000Z',
      expires_at: '2026-12-25T17:00:00.000Z',
    })
  })

  it('tells everybody, and leaves out what was not said', async () => {
    const { asked } = await notify(['--all', '--title', 'Closed on Sunday'])
    expect(asked[0]?.body).toEqual({ to: 'all', title: 'Closed on Sunday' })
    // Its own, so that it can be sent again if the answer is lost.
    expect(asked[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('reads content from stdin', async () => {
    const args = ['--all', '--title', 'A', '--content', '-']
    const { asked } = await notify(args, undefined, '{"a": [1]}\n')
    expect(asked[0]?.body).toMatchObject({ content: { a: [1] } })
    const wrong = await notify(args, undefined, '')
    expect(wrong).toMatchObject({ status: 2, err: expect.stringMatching(/stdin must be a JSON/) })
  })

  it('says it when nobody is told, and cuts a long list of ids', async () => {
    const none = { notifications: 0, delivered: 0, scheduled: 0, declined: 0, ids: [] }
    const nobody = await notify(['--all', '--title', 'A'], () => ({ status: 201, body: none }))
    expect(nobody.err).toBe('Nobody is told: no user receives notifications.\n')
    const ids = Array.from({ length: 1_000 }, (_, index) => index + 1)
    const all = { ...none, notifications: 5_000, delivered: 5_000, ids }
    const many = await notify(['--all', '--title', 'A'], () => ({ status: 201, body: all }))
    expect(many.err).toBe(
      '5000 notifications: 5000 delivered (ids 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …).\n',
    )
  })

  it('P87 passes on what the worker refuses', async () => {
    const { status, err } = await notify(['--user', '99', '--title', 'A'], () => ({
      status: 422,
      body: { title: 'There are no such users', detail: 'Nobody has the id 99.' },
    }))
    expect({ status, err }).toEqual({
      status: 1,
      err: '✗ There are no such users: Nobody has the id 99.\n',
    })
  })

  it.each([
    [[], /say whom/],
    [['--user', '3', '--all', '--title', 'A'], /say whom/],
    [['--user', '3'], /--title is missing/],
    [['--user', 'ada', '--title', 'A'], /--user takes a whole number/],
    [['--all', '--title', 'A', '--content', '[1]'], /--content must be a JSON object/],
    [['--all', '--title', 'A', '--content', 'null'], /--content must be a JSON object/],
    [['--all', '--title', 'A', '--at', 'tomorrow'], /--at takes a time such as/],
    [['--all', '--title', 'A', '--key', 'a b'], /--key takes/],
    [['--all', '--title', 'A', '--key', 'a', '--at', '+10m'], /give the time itself/],
    [['--all', '--title', 'A', '--titel', 'B'], /did you mean "--title"/],
    [['--all', '--title', 'A', '--title', 'B'], /given twice/],
    [['3', '--title', 'A'], /one word too many/],
  ])('notify %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await notify(args)
    expect({ status, asked }).toEqual({ status: 2, asked: [] })
    expect(err).toMatch(sentence)
  })
})

describe('a time that was typed', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')

  it.each([
    ['+90s', '2026-11-21T12:01:30.000Z'],
    ['+10m', '2026-11-21T12:10:00.000Z'],
    ['+2h', '2026-11-21T14:00:00.000Z'],
    ['+7d', '2026-11-28T12:00:00.000Z'],
    ['2026-12-24T18:00:00Z', '2026-12-24T18:00:00.000Z'],
    ['2026-12-24T18:00:00.123456+01:00', '2026-12-24T17:00:00.123Z'],
    ['2026-12-24T18:00', new Date('2026-12-24T18:00').toISOString()],
  ])('%s', (text, read) => {
    expect(readMoment('--at', text, now)).toBe(read)
  })

  it.each(['', '10m', '+10', '+m', '+10w', '24', '2026', '2026-13-01', 'now'])(
    '"%s" is none',
    (text) => expect(() => readMoment('--at', text, now)).toThrow('--at takes a time'),
  )
})
