import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'belfry-credential-'))
  await mkdir(join(folder, '.belfry'))
})
afterAll(() => rm(folder, { recursive: true }))

const none: Answered = { body: { orders: [], audit: [], next_cursor: null } }

/** In the folder of a local run, whose worker and sign-in server are the same here. */
async function local(
  args: string[],
  env: Record<string, string> = {},
  answer: (asked: Asked) => Answered = () => none,
) {
  await using worker = await serveWorker(answer)
  const file = { url: worker.url, adminToken: 'of-the-run', signInUrl: `${worker.url}/sign-in` }
  await writeFile(join(folder, '.belfry', 'local.json'), JSON.stringify(file))
  const terminal = new FakeTerminal()
  terminal.cwd = folder
  terminal.env = env
  const status = await run(args, terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

const bearers = ({ asked }: { asked: Asked[] }) => asked.map(({ authorization }) => authorization)

describe('who asks', () => {
  const [mine, admins] = [{ BELFRY_TOKEN: 'mine' }, { BELFRY_ADMIN_TOKEN: 'admins' }]
  it.each([
    [['orders', 'list'], {}, 'of-the-run'],
    [['audit'], {}, 'of-the-run'],
    [['orders', 'list'], mine, 'mine'],
    [['audit'], mine, 'mine'],
    [['orders', 'list'], admins, 'admins'],
    [['orders', 'list'], { ...mine, ...admins }, 'mine'],
    [['audit'], { ...mine, ...admins }, 'admins'],
  ])('P94 of %j with %j in a local run is %s', async (args, env, bearer) => {
    expect(bearers(await local(args, env))).toEqual([`Bearer ${bearer}`])
  })

  it('P106 a local run’s own token is sent to that run alone', async () => {
    await using other = await serveWorker(() => none)
    const there = await local(['orders', 'list'], { BELFRY_URL: other.url })
    expect([there.status, there.asked, bearers(other)]).toEqual([0, [], [null]])
    const asAdmin = await local(['audit'], { BELFRY_URL: other.url })
    expect([asAdmin.status, other.asked.length]).toEqual([1, 1])
    expect(asAdmin.err).toBe(
      '✗ Set BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN, or BELFRY_TOKEN to a token or an API key with the scope admin.\n',
    )
  })

  it('the two names of this machine are one worker', async () => {
    let asked: (string | null)[] = []
    await using worker = await serveWorker(() => none)
    const file = { url: worker.url, adminToken: 'of-the-run' }
    await writeFile(join(folder, '.belfry', 'local.json'), JSON.stringify(file))
    const terminal = new FakeTerminal()
    terminal.cwd = folder
    terminal.env = { BELFRY_URL: worker.url.replace('127.0.0.1', 'localhost') }
    await run(['orders', 'list'], terminal)
    asked = bearers(worker)
    expect(asked).toEqual(['Bearer of-the-run'])
  })
})

describe('a refusal says what is missing, and where it is set', () => {
  const refused = (status: number): Answered => ({
    status,
    body: { title: 'No', detail: 'This needs a scope.' },
  })
  const update = ['orders', 'create', '--customer', 'A', '--product', 'B', '--amount', '1']

  it.each([
    [
      ['orders', 'list'],
      {},
      401,
      'Set BELFRY_TOKEN to a token or an API key with the scope orders:read, or BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN.',
    ],
    [
      ['status'],
      {},
      401,
      'Set BELFRY_TOKEN to a token or an API key with any scope, or BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN.',
    ],
    [
      update,
      { BELFRY_TOKEN: 'x' },
      403,
      'BELFRY_TOKEN was sent, which has not the scope orders:write: set BELFRY_TOKEN to a token or an API key that has it.',
    ],
    [
      update,
      { BELFRY_TOKEN: 'x' },
      401,
      'BELFRY_TOKEN was sent: is it of this worker, and neither expired nor revoked?',
    ],
    [
      ['audit'],
      { BELFRY_ADMIN_TOKEN: 'x' },
      401,
      'BELFRY_ADMIN_TOKEN was sent: is it this worker’s ADMIN_TOKEN?',
    ],
    [
      ['audit'],
      { BELFRY_TOKEN: 'x' },
      403,
      'BELFRY_TOKEN was sent, which has not the scope admin: set BELFRY_TOKEN to a token or an API key that has it.',
    ],
    [
      ['inbox', 'list'],
      { BELFRY_TOKEN: 'x' },
      403,
      'BELFRY_TOKEN was sent, which is no user’s: set BELFRY_TOKEN to one.',
    ],
    [
      ['status'],
      { BELFRY_TOKEN: 'x' },
      403,
      'BELFRY_TOKEN was sent, which has no scope: set BELFRY_TOKEN to a token or an API key that has one.',
    ],
  ])('P94 %j with %j refused with %i', async (args, env, status, sentence) => {
    await using worker = await serveWorker(() => refused(status))
    const terminal = new FakeTerminal()
    terminal.env = { BELFRY_URL: worker.url, ...env }
    expect(await run(args, terminal)).toBe(1)
    expect(terminal.stderr).toBe(`✗ No: This needs a scope. ${sentence}\n`)
  })

  it('P94 in a local run, whose token is as old as the run, says to start again', async () => {
    const { err } = await local(['orders', 'list'], {}, () => refused(401))
    expect(err).toMatch('The local run’s own token was sent: start again with `npm start`.')
  })
})

describe('token', () => {
  const given = { token: 'e.y.J', expires_at: '2026-11-21T09:33:55.000Z' }

  it.each([
    [[], '/sign-in/staff', {}],
    [
      ['--scopes', 'orders:read,orders:write'],
      '/sign-in/staff',
      { scope: 'orders:read orders:write' },
    ],
    [['--user', '3'], '/sign-in/token', { user: '3' }],
  ])('%j prints one of the local run', async (args, path, query) => {
    const { status, out, err, asked } = await local(['token', ...args], {}, () => ({ body: given }))
    expect([status, out, err]).toEqual([0, 'e.y.J\n', ''])
    expect(asked).toMatchObject([{ path, query, authorization: null }])
  })

  it('--json says when it ends', async () => {
    const { out } = await local(['token', '--json'], {}, () => ({ body: given }))
    expect(JSON.parse(out)).toEqual(given)
  })

  it.each([
    [['--user', 'ada'], {}, /takes a whole number/],
    [['--user', '3', '--scopes', 'admin'], {}, /give --scopes or --user/],
    [['--scopes', ' , '], {}, /--scopes is empty/],
    [[], { BELFRY_URL: 'http://127.0.0.1:1' }, /only a local run gives out tokens/],
  ])('%j with %j is a wrong command line', async (args, env, sentence) => {
    const { status, err, asked } = await local(['token', ...args], env)
    expect([status, asked]).toEqual([2, []])
    expect(err).toMatch(sentence)
  })

  it('says what the run says when it gives none', async () => {
    const body = { message: 'There is no user 99: `belfry users list` shows who there is.' }
    const { status, err } = await local(['token', '--user', '99'], {}, () => ({
      status: 404,
      body,
    }))
    expect([status, err]).toEqual([1, `✗ ${body.message}\n`])
  })
})
