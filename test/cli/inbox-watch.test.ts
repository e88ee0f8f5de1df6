import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { serveSockets, type Visitor } from '../sdk/small-socket-server.ts'
import { FakeTerminal } from './fake-terminal.ts'

const one = {
  id: 57,
  category: 'orders',
  title: 'Your order was shipped',
  content: { text: 'Gears \u001b[2J' },
  link: '/orders/42',
  delivered_at: '2026-11-21T08:33:55.123456+00:00',
  expires_at: null,
  seen: false,
  read: false,
  archived: false,
}
const counts = { unseen: 0, unread: 2, capped: false }
const epoch = 'k3v'

const answers = ({ url = '' }: IncomingMessage) => ({
  body: url.startsWith('/api/me/tickets')
    ? { ticket: '3.aaaaaaaaaaaaaaaaaaaaaa', expires_in_ms: 30_000 }
    : { notifications: [], next_cursor: null, counts, position: 'k3v:41' },
})

async function watch(
  args: string[],
  visit: (visitor: Visitor) => void,
  answer: Parameters<typeof serveSockets>[1] = answers,
) {
  const asked: (string | undefined)[] = []
  const server = await serveSockets(visit, (request) => {
    asked.push(request.headers.authorization)
    return answer(request)
  })
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: server.url, BELFRY_TOKEN: 'of-ada' }
  const status = run(['inbox', 'watch', ...args], terminal)
  return { terminal, status, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const say = (visitor: Visitor, frame: object) => visitor.say(JSON.stringify(frame))
const hello = { type: 'hello', protocol: 1, epoch, after: 41, counts }
const arrival = {
  type: 'notifications',
  epoch,
  after: 41,
  through: 42,
  all: {},
  notifications: [one],
  removed: [],
  counts: { unseen: 1, unread: 3, capped: false },
}

describe('inbox watch', () => {
  it('P82 prints what arrives and how the counts move, until Ctrl-C', async () => {
    await using watching = await watch([], (visitor) => {
      say(visitor, hello)
      say(visitor, arrival)
    })
    const { terminal, status, asked } = watching
    await terminal.until(({ stderr }) => stderr.includes('3 unread'))
    terminal.interrupt()
    expect(await status).toBe(0)
    expect(terminal.stdout).toBe(
      '2026-11-21 08:33:55  #57  orders  Your order was shipped  Gears \\u001b[2J  /orders/42\n',
    )
    expect(terminal.stderr).toBe('· live: 3 unread, 1 unseen\n')
    expect(new Set(asked)).toEqual(new Set(['Bearer of-ada']))
  })

  it('--json prints one notification a line and nothing else', async () => {
    await using watching = await watch(['--json'], (visitor) => {
      say(visitor, hello)
      say(visitor, arrival)
    })
    await watching.terminal.until(({ stdout }) => stdout.endsWith('\n'))
    watching.terminal.interrupt()
    expect(await watching.status).toBe(0)
    expect(JSON.parse(watching.terminal.stdout)).toEqual(one)
  })

  it('P90 a token that is refused ends it with 1 and the reason, never with the token', async () => {
    await using watching = await watch(
      [],
      () => undefined,
      () => ({
        status: 401,
        body: { title: 'Credentials are missing or wrong', detail: 'of-ada has expired.' },
      }),
    )
    expect(await watching.status).toBe(1)
    expect(watching.terminal.stderr).toMatch(
      /✗ The worker refused: .*has expired\. BELFRY_TOKEN was sent: .*\n$/,
    )
    expect(watching.terminal.stderr).not.toMatch('of-ada')
  })
})
