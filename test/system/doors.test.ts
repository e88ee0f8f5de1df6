import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sign } from 'hono/jwt'
import { describe, expect, test, vi } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { type ConnectionState, connect, describe as sentence } from '../../client/sdk/belfry.ts'
import { FakeTerminal } from '../cli/fake-terminal.ts'
import { create, database, local } from './shop.ts'

const PATIENCE_MS = 15_000
const folder = dirname(process.env.BELFRY_LOCAL ?? '')

/** The command line in the project's folder; elsewhere with a token, which is then who asks. */
async function belfry(args: string[], BELFRY_TOKEN?: string) {
  const terminal = new FakeTerminal()
  if (BELFRY_TOKEN === undefined) terminal.cwd = join(folder, '..')
  else terminal.env = { BELFRY_URL: local.url, BELFRY_TOKEN }
  const status = await run(args, terminal)
  return { status, out: terminal.stdout, err: terminal.stderr }
}

/** Of whoever may read orders, for so many seconds. */
function tokenFor(seconds: number): Promise<string> {
  const { authSecret } = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))
  const iat = Math.floor(Date.now() / 1000)
  const claims = { sub: 'the doors test', scope: 'orders:read', iat, exp: iat + seconds }
  return sign(claims, authSecret, 'HS256')
}

describe('the SDK and the command line before real doors', () => {
  test('P96 P97 a socket outlives its first token, which the function renews; a text ends', async () => {
    const short = await tokenFor(3)
    const given = [short, await tokenFor(3_600)]
    const kept: ConnectionState['state'][] = []
    using renewed = connect({
      url: local.url,
      table: 'orders',
      token: () => given.shift() ?? '',
      onState: ({ state }) => kept.push(state),
    })
    const ended = Promise.withResolvers<string>()
    using _fixed = connect({
      url: local.url,
      table: 'orders',
      token: short,
      onState: (state) => state.state === 'closed' && ended.resolve(sentence(state.reason)),
    })
    expect(await ended.promise).toMatch(/^the worker does not let you in: .*expired/)
    expect(await renewed.ping()).toBeGreaterThanOrEqual(0)
    expect([kept, given]).toEqual([['connecting', 'live'], []])
  })

  test('P94 P96 a key does what its scopes say, until it is revoked', async () => {
    const made = await belfry(['keys', 'create', '--name', 'doors', '--scopes', 'orders:read'])
    const [key, id] = [made.out.trim(), /^Key (\d+),/.exec(made.err)?.[1] ?? '']
    expect([made.status, key]).toEqual([0, expect.stringMatching(/^belfry_[\w-]{43}$/)])
    const read = ['orders', 'list', '--limit', '1']
    expect(await belfry(read, key)).toMatchObject({ status: 0 })
    const write = ['orders', 'create', '--customer', 'A', '--product', 'B', '--amount', '1']
    const refused = await belfry(write, key)
    expect(refused.status).toBe(1)
    expect(refused.err).toMatch(/BELFRY_TOKEN was sent, which has not the scope orders:write/)

    const ended = Promise.withResolvers<string>()
    const live = Promise.withResolvers<void>()
    using _connection = connect({
      url: local.url,
      token: key,
      onState(state) {
        if (state.state === 'live') live.resolve()
        if (state.state === 'closed') ended.resolve(sentence(state.reason))
      },
    })
    await live.promise
    expect(await belfry(['revoke', `key:${id}`])).toMatchObject({ status: 0 })
    expect(await ended.promise).toMatch(/^the worker does not let you in/)
    const gone = () => vi.waitFor(async () => expect((await belfry(read, key)).status).toBe(1))
    await vi.waitFor(gone, { timeout: PATIENCE_MS })
    expect((await belfry(['keys', 'list'])).out).toMatch(new RegExp(`${id} .* revoked `))
  })

  test('P99 P104 an update is of what was read, and its life says who made it', async () => {
    const { id } = await create()
    const update = ['orders', 'update', String(id), '--status', 'shipped']
    expect((await belfry(update)).out).toMatch(/shipped/)
    await database.query('UPDATE orders SET amount = amount + 1 WHERE id = $1', [id])
    const stale = await belfry([...update, '--if-version', '2'])
    expect([stale.status, stale.err]).toEqual([
      1,
      expect.stringMatching(/now at "3".*--force changes it whatever it is/),
    ])
    expect(await belfry([...update, '--force'])).toMatchObject({ status: 0 })
    const { out } = await belfry(['orders', 'life', String(id)])
    expect(out).toMatch(/ {2}1 {2}.* insert by operator/)
    expect(out).toMatch(/ {2}2 {2}.* update by operator {2}.*status pending → shipped/)
    expect(out).toMatch(/ {2}3 {2}by SQL/)
    const audit = await belfry(['audit', '--table', 'orders', '--key', String(id)])
    expect(audit.out.match(/orders \d+/g)).toHaveLength(2)
  })
})
