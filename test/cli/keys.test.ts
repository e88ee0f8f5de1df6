import { describe, expect, it } from 'vitest'
import { type ApiKey, keysTable } from '../../client/cli/keys.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const key: ApiKey = {
  id: 7,
  name: 'warehouse scanner',
  hint: 'belfry_Xy7a',
  scopes: ['orders:read', 'orders:write'],
  created_by: 'operator',
  created_at: '2026-11-21T08:33:55.123456+00:00',
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
}

async function belfry(args: string[], answer: (asked: Asked) => Answered = () => ({ body: key })) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, BELFRY_ADMIN_TOKEN: 'secret' }
  const status = await run(args, terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

const create = ['keys', 'create', '--name', 'scanner', '--scopes', 'orders:read, orders:write']

describe('keys', () => {
  it('P106 create prints the key alone on stdout, and asks for it once', async () => {
    const made = { ...key, key: 'belfry_Xy7aSecret' }
    const { status, out, err, asked } = await belfry(create, () => ({ status: 201, body: made }))
    expect([status, out]).toEqual([0, 'belfry_Xy7aSecret\n'])
    expect(err).toBe(
      'Key 7, warehouse scanner: keep it now, it is not shown again. `belfry keys revoke 7` ends it.\n',
    )
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/api/keys',
        body: { name: 'scanner', scopes: ['orders:read', 'orders:write'] },
        headers: { 'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/) },
        authorization: 'Bearer secret',
      },
    ])
  })

  it('P100 one whose answer was lost is told as made, and is of no use', async () => {
    const answers: Answered[] = [{ breaksOff: true }, { status: 201, body: { ...key, key: null } }]
    const { status, out, err } = await belfry(create, () => answers.shift() ?? {})
    expect([status, out]).toEqual([1, ''])
    expect(err).toMatch(/^Key 7 was made, but .* lost .* `belfry keys revoke 7`/)
  })

  it('create takes a time, as it is or from now on', async () => {
    const { asked } = await belfry([...create, '--expires', '2027-01-01T00:00:00Z'])
    expect(asked[0]?.body).toMatchObject({ expires_at: '2027-01-01T00:00:00.000Z' })
  })

  it('list shows which are over, and when each was used', async () => {
    const keys = [
      { ...key, last_used_at: '2026-11-21T09:00:00+00:00' },
      { ...key, id: 6, expires_at: '2026-01-01T00:00:00+00:00' },
      { ...key, id: 5, revoked_at: '2026-11-20T00:00:00+00:00' },
    ]
    const { out, asked } = await belfry(['keys', 'list'], () => ({
      body: { keys, next_cursor: null },
    }))
    expect(asked).toMatchObject([{ path: '/api/keys' }])
    expect(out).toMatch(
      / 7 {2}warehouse scanner {2}belfry_Xy7a… .* operator .* 2026-11-21 09:00:00/,
    )
    expect(out).toMatch(/ 5 .* never .* revoked 2026-11-20 00:00:00/)
    const terminal = new FakeTerminal()
    terminal.colours = true
    const coloured = keysTable(keys, Date.parse('2026-11-21T10:00:00Z'), terminal).split('\n')
    expect(coloured.map((line) => line.startsWith('<dim>'))).toEqual([
      false,
      false,
      true,
      true,
      false,
    ])
    const none = await belfry(['keys', 'list'], () => ({ body: { keys: [], next_cursor: null } }))
    expect(none.err).toMatch('`belfry keys create')
  })

  it.each([[['keys', 'revoke', '7']], [['revoke', 'key:7']]])('P96 %j ends one', async (args) => {
    const { status, err, asked } = await belfry(args, () => ({ status: 204 }))
    expect([status, err]).toEqual([0, 'Key 7 is revoked. Within 10 s it opens nothing any more.\n'])
    expect(asked).toMatchObject([{ method: 'DELETE', path: '/api/keys/7' }])
  })
})

describe('revoke', () => {
  it.each(['user:42', 'token:auth0|ada, "b"'])('P96 signs %s out', async (principal) => {
    const made = { principal, since: '2026-11-21T08:33:55.1+00:00', reason: 'lost a phone' }
    const { status, err, asked } = await belfry(
      ['revoke', principal, '--reason', 'lost a phone'],
      () => ({ body: made }),
    )
    expect(asked).toMatchObject([
      { method: 'POST', path: '/api/revocations', body: { principal, reason: 'lost a phone' } },
    ])
    expect([status, err]).toEqual([
      0,
      `${principal} is signed out: what was issued until 2026-11-21 08:33:55 UTC opens nothing any more within 10 s.\n`,
    ])
  })

  it.each([
    [['revoke'], /who \(user:42, token:<sub> or key:7\) is missing/],
    [['revoke', '42'], /"42" is nobody who can be revoked/],
    [['revoke', 'operator'], /nobody who can be revoked/],
    [['revoke', 'key:x'], /nobody who can be revoked/],
    [['revoke', 'key:7', '--reason', 'x'], /leave it out for a key/],
    [['keys', 'create', '--scopes', 'admin'], /--name is missing/],
    [['keys', 'create', '--name', 'a'], /--scopes is missing/],
    [['keys', 'create', '--name', 'a', '--scopes', 'admin', '--expires', 'soon'], /takes a time/],
    [['keys', 'revoke', 'key:7'], /takes a whole number/],
    [['keys'], /say what to do: list, create, revoke/],
  ])('%j is a wrong command line, exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args)
    expect([status, asked]).toEqual([2, []])
    expect(err).toMatch(sentence)
  })
})
