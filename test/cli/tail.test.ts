import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { serveSockets, type Visitor } from '../sdk/small-socket-server.ts'
import { changes, hello, inserted, reset } from '../sdk/world.ts'
import { FakeTerminal } from './fake-terminal.ts'

async function tail(
  args: string[],
  visit: (visitor: Visitor, visits: number) => void,
  env: Record<string, string> = {},
  answer?: (request: IncomingMessage) => { status?: number; body: unknown },
) {
  const visits: string[] = []
  const tokens: (string | undefined)[] = []
  const server = await serveSockets(
    (visitor) => visit(visitor, visits.push(visitor.url)),
    (request) => {
      tokens.push(request.headers.authorization)
      return answer?.(request) ?? { status: 201, body: { ticket: 'once' } }
    },
  )
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: server.url, ...env }
  const status = run(['tail', ...args], terminal)
  return {
    visits,
    tokens,
    terminal,
    status,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const say = (visitor: Visitor, ...frames: object[]) => {
  for (const frame of frames) visitor.say(JSON.stringify(frame))
}

describe('tail', () => {
  it('asks for what was said', async () => {
    const args = [
      'orders',
      '--after',
      '41',
      '--epoch',
      'k3v',
      '--op',
      'insert,update',
      '--where',
      'status=a=b',
    ]
    await using tailing = await tail(args, (visitor) => say(visitor, hello('k3v', 41)))
    await tailing.terminal.until(({ stderr }) => stderr.includes('live'))
    expect(Object.fromEntries(new URL(tailing.visits[0] ?? '', 'http://w').searchParams)).toEqual({
      table: 'orders',
      op: 'insert,update',
      'where.status': 'a=b',
      after: '41',
      epoch: 'k3v',
      acks: '1',
      deflate: '1',
    })
    tailing.terminal.interrupt()
    expect(await tailing.status).toBe(0)
  })

  it('prints a line for each change, says resets and breaks on stderr, and where to resume', async () => {
    await using tailing = await tail([], (visitor, visits) => {
      if (visits === 1) {
        say(visitor, hello('a', 5), changes('a', 5, [inserted(6), inserted(7)]))
        visitor.close(1001, '')
      } else say(visitor, hello('b', 40), reset('b', 40), changes('b', 40, [inserted(41)]))
    })
    const { terminal, status } = tailing
    await terminal.until(({ stdout }) => stdout.includes('#41'))
    terminal.interrupt()
    expect(await status).toBe(0)
    expect(terminal.stdout.match(/#\d+ \w+/g)).toEqual(['#6 insert', '#7 insert', '#41 insert'])
    expect(terminal.stderr.replace(/[\d.]+ s\n/, 'N s\n').split('\n')).toEqual([
      expect.stringMatching(/^· connecting to http/),
      '· live after a:5',
      '· this server is stopping; again in N s',
      '· live after a:7',
      '· reset: the feed began a new life, and what lies between cannot be served; going on from b:40',
      '· resume with --after 41 --epoch b',
      '',
    ])
  })

  it('P97 says who asks by BELFRY_TOKEN, in no address, and never prints it', async () => {
    await using tailing = await tail(
      [],
      (visitor) => visitor.close(4401, 'the token s3cret is too old'),
      { BELFRY_TOKEN: 's3cret' },
    )
    expect(await tailing.status).toBe(1)
    expect(tailing.visits).toEqual(['/api/changes/ws?acks=1&deflate=1&ticket=once'])
    expect(tailing.tokens).toEqual(['Bearer s3cret'])
    expect(tailing.terminal.stderr).toMatch(
      '✗ The worker refused: the worker does not let you in: the token … is too old. BELFRY_TOKEN was sent: is it of this worker, and neither expired nor revoked?',
    )
    expect(tailing.terminal.stderr + tailing.terminal.stdout).not.toMatch('s3cret')
  })

  it('P94 a token that opens nothing ends it, and nobody’s is told what to set', async () => {
    const body = { title: 'Your credentials do not open this', detail: 'This needs a scope.' }
    await using tailing = await tail(
      [],
      () => expect.unreachable(),
      { BELFRY_TOKEN: 's3cret' },
      () => ({
        status: 403,
        body,
      }),
    )
    expect(await tailing.status).toBe(1)
    expect(tailing.terminal.stderr).toMatch('do not open this: This needs a scope.')
    await using nobody = await tail(['orders'], (visitor) => visitor.close(4401, 'Send a token.'))
    expect(await nobody.status).toBe(1)
    expect(nobody.terminal.stderr).toMatch(
      'Set BELFRY_TOKEN to a token or an API key with the scope orders:read, or BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN.',
    )
  })

  it('P92 without a table shows none of Belfry’s own, also to who runs it', async () => {
    const own = { ...inserted(6), table: 'notifications' }
    await using tailing = await tail(
      [],
      (visitor) => say(visitor, hello('a', 5), changes('a', 5, [own, inserted(7)])),
      { BELFRY_ADMIN_TOKEN: 'secret' },
    )
    await tailing.terminal.until(({ stdout }) => stdout.includes('#7'))
    tailing.terminal.interrupt()
    expect(tailing.terminal.stdout).not.toMatch('#6')
    expect(tailing.terminal.stderr).toMatch('resume with --after 7')
  })

  it('--json prints one change a line and nothing else', async () => {
    const list = [inserted(6), inserted(7)]
    await using tailing = await tail(['--json'], (visitor) =>
      say(visitor, hello('a', 5), changes('a', 5, list)),
    )
    const { terminal } = tailing
    await terminal.until(({ stdout }) => stdout.split('\n').length === 3)
    terminal.interrupt()
    const lines = terminal.stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(list)
  })

  it('P60 a refusal ends it with 1 and the reason', async () => {
    await using tailing = await tail(['nosuch'], (visitor) => visitor.close(4400, 'no such table'))
    expect(await tailing.status).toBe(1)
    expect(tailing.terminal.stderr).toMatch(
      '✗ The worker refused: the query is wrong: no such table.',
    )
  })

  it('P92 tables of Belfry’s own are asked for as whoever runs it, others as oneself', async () => {
    const env = { BELFRY_ADMIN_TOKEN: 'of-the-admin', BELFRY_TOKEN: 'of-ada' }
    await using own = await tail(
      ['notifications'],
      (visitor) => visitor.close(4400, 'it is not watched.'),
      env,
    )
    expect(await own.status).toBe(1)
    expect(own.tokens).toEqual(['Bearer of-the-admin'])
    expect(own.terminal.stderr).toMatch('the query is wrong: it is not watched.')
    await using other = await tail(['orders'], (visitor) => visitor.close(4400, 'no'), env)
    expect(await other.status).toBe(1)
    expect(other.tokens).toEqual(['Bearer of-ada'])
    await using nobody = await tail(['users'], () => undefined)
    expect(await nobody.status).toBe(1)
    expect(nobody.terminal.stderr).toMatch('Set BELFRY_ADMIN_TOKEN')
    expect(nobody.visits).toEqual([])
  })

  it.each([
    [['--after', 'x'], '--after takes a whole number from 0, not "x".'],
    [['--after', '-1'], '--after takes a whole number from 0, not "-1".'],
    [['--after', '1.5'], '--after takes a whole number from 0, not "1.5".'],
    [['--after', ''], '--after takes a whole number from 0, not "".'],
    [
      ['--after', '9999999999999999'],
      '--after takes a whole number from 0, not "9999999999999999".',
    ],
    [['--after', '1', '--after', '2'], '--after was given twice; give it once.'],
    [['--epoch', 'a', '--epoch', 'a', '--after', '1'], '--epoch was given twice; give it once.'],
    [
      ['--where', 'status=a', '--where', 'status=b'],
      '--where status was given twice; give it once.',
    ],
    [['--epoch', 'a'], '--epoch says what --after belongs to: give both.'],
    [
      ['--op', 'insert,updat'],
      '"updat" is no operation (did you mean "update"?); there are insert, update, delete, truncate.',
    ],
    [['--where', 'status'], '--where takes column=value, not "status".'],
    [['a', 'b'], '"b" is one word too many.'],
  ])('%j is a wrong command line, exit 2', async (args, sentence) => {
    const terminal = new FakeTerminal()
    expect(await run(['tail', ...args], terminal)).toBe(2)
    expect(terminal.stderr).toBe(`belfry: ${sentence}\n`)
  })
})
