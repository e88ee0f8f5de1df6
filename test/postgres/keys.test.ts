import { describe, expect, it } from 'vitest'
import { hashOfKey } from '../../worker/doors/api-key.ts'
import { AdminWorld, type Answer } from './admin-world.ts'

/** API keys and revocations over a real database, and what the Keyring is told of them. */

const world = new AdminWorld()
const { db } = world
const ask = world.ask.bind(world)

type Ring = {
  keys: { id: number; hash: string; scopes: string[]; expires_ms: number | null }[]
  revoked: Record<string, number>
}
async function ring(): Promise<Ring> {
  const [row] = await db.run<{ ring: string }>('SELECT belfry.keyring()::text AS ring')
  return JSON.parse(row?.ring ?? 'null')
}
const make = (given: object = {}, headers = {}) =>
  ask('POST', '/api/keys', { name: 'scanner', scopes: ['orders:read'], ...given }, headers)
const listed = ({ body }: Answer) => (body.keys as { id: number }[]).map(({ id }) => id)

describe('P95 an API key', () => {
  it('is in the answer once, and in the database only as its hash', async () => {
    const expires_at = '2036-12-24T08:00:00+02:00'
    const scopes = ['orders:read', 'orders:write', 'orders:read', 'täble:read']
    const made = await make({ scopes, expires_at })
    const key = String(made.body.key)
    expect(key).toMatch(/^belfry_[\w-]{43}$/)
    const told = {
      ...{ id: expect.any(Number), name: 'scanner', hint: key.slice(0, 11) },
      scopes: ['orders:read', 'orders:write', 'täble:read'],
      created_by: 'operator',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.+\+00:00$/),
      expires_at: '2036-12-24T06:00:00.000000+00:00',
      ...{ revoked_at: null, last_used_at: null },
    }
    expect(made).toMatchObject({ status: 201, body: told, tag: '"1"' })
    expect(await ask('GET', made.location ?? '')).toMatchObject({ status: 200, body: told })
    const { id } = made.body
    const hash = await hashOfKey(key)
    expect((await ring()).keys.find((each) => each.id === id)).toEqual({
      ...{ id, hash, scopes: told.scopes, expires_ms: Date.parse(expires_at) },
    })
    const rows = await db.run(
      'SELECT k::text FROM belfry.api_keys k UNION ALL SELECT a::text FROM belfry.audit a WHERE a."table" = \'api_keys\'',
    )
    expect(JSON.stringify(rows)).not.toContain(key.slice(11))
  })

  it.each([
    ['no name', { name: ' ' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['no scope', { scopes: [] }],
    ['51 scopes', { scopes: Array.from({ length: 51 }, (_, n) => `t${n}:read`) }],
    ['a scope that is none', { scopes: ['orders:delete'] }],
    ['scopes as text', { scopes: 'admin' }],
    ['an end without offset', { expires_at: '2036-12-24T08:00:00' }],
    ['an end that is past', { expires_at: '2020-12-24T08:00:00Z' }],
    ['half a surrogate pair', { name: 'x\ud800' }],
    ['a field that is not known', { user: 1 }],
  ])('is not made with %s', async (_, given) => {
    expect(await make(given)).toMatchObject({ status: 400, body: { code: 'invalid_body' } })
  })

  it('P100 is made once for an idempotency key, and is not shown again', async () => {
    const once = { 'idempotency-key': 'one key' }
    expect((await make({}, once)).status).toBe(400)
    once['idempotency-key'] = 'one-key'
    const made = await make({}, once)
    const again = await make({}, once)
    expect(again).toMatchObject({ status: 201, body: { ...made.body, key: null } })
    expect(await make({ name: 'other' }, once)).toMatchObject({ status: 422 })
  })

  it('P96 that is revoked is out of the ring, is told at once, and stays in the list', async () => {
    const [first, second] = [await make(), await make()]
    const id = Number(first.body.id)
    const path = first.location ?? ''
    expect(await ask('DELETE', path, undefined, { 'if-match': '"2"' })).toMatchObject({
      status: 412,
    })
    expect(world.cuts).toEqual([])
    expect(await ask('DELETE', path, undefined, { 'if-match': '"1"' })).toMatchObject({
      status: 204,
    })
    const { keys, revoked } = await ring()
    expect(keys.map((each) => each.id)).not.toContain(id)
    expect(world.cuts).toEqual([{ principal: `key:${id}`, sinceMs: expect.any(Number) }])
    expect(Math.abs((revoked[`key:${id}`] ?? 0) - (world.cuts[0]?.sinceMs ?? 0))).toBeLessThan(
      1_000,
    )
    const now = await ask('GET', path)
    expect(now).toMatchObject({ body: { revoked_at: expect.any(String) }, tag: '"2"' })
    expect((await ask('DELETE', path)).status).toBe(204)
    expect((await ask('GET', path)).body).toEqual(now.body)
    const page = await ask('GET', '/api/keys?limit=1')
    expect(listed(page)).toEqual([second.body.id])
    const rest = await ask('GET', `/api/keys?limit=1&cursor=${page.body.next_cursor}`)
    expect(listed(rest)).toEqual([id])
    const changes = await db.changes()
    expect(changes.filter(({ table }) => table === 'revocations')).toMatchObject([
      { op: 'insert', new: { principal: `key:${id}` } },
    ])
  })

  it.each(['/api/keys/999999999', '/api/keys/9007199254740991'])(
    '%s is not there',
    async (path) => {
      for (const method of ['GET', 'DELETE'])
        expect(await ask(method, path)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    },
  )
})

describe('P96 a revocation', () => {
  it('signs a user out as of now, each time later, and says who did it', async () => {
    const asking = { 'asked-by': 'user:1' }
    const one = await ask('POST', '/api/revocations', { principal: 'user:42' }, asking)
    const reason = 'lost a phone'
    const two = await ask('POST', '/api/revocations', { principal: 'user:42', reason }, asking)
    expect(one).toMatchObject({ status: 200, body: { principal: 'user:42', reason: null } })
    expect(two).toMatchObject({ status: 200, body: { principal: 'user:42', reason } })
    expect(String(two.body.since) > String(one.body.since)).toBe(true)
    const sinceMs = Date.parse(String(two.body.since))
    expect(world.cuts.at(-1)).toEqual({ principal: 'user:42', sinceMs })
    expect((await ring()).revoked['user:42']).toBe(sinceMs)
    expect(await ask('GET', '/api/revocations?principal=user:42')).toMatchObject({
      body: { revocations: [two.body], next_cursor: null },
    })
    const noted = await db.run(
      "SELECT principal, action FROM belfry.audit WHERE \"table\" = 'revocations' AND key = 'user:42' ORDER BY id",
    )
    expect(noted).toEqual([
      { principal: 'user:1', action: 'insert' },
      { principal: 'user:1', action: 'update' },
    ])
  })

  it.each([
    'user:0',
    'user:x',
    'user:',
    'key:1',
    'operator',
    'anyone',
    'token:',
    `token:${'x'.repeat(256)}`,
  ])('of %s is refused', async (principal) => {
    expect(await ask('POST', '/api/revocations', { principal })).toMatchObject({ status: 400 })
  })

  it.each(['auth0|1', 'a b', 'ü:x', "'; DROP TABLE users; --"])(
    'of the sub %s is kept as it is',
    async (sub) => {
      const principal = `token:${sub}`
      expect(await ask('POST', '/api/revocations', { principal })).toMatchObject({
        body: { principal },
      })
      expect((await ring()).revoked[principal]).toEqual(expect.any(Number))
    },
  )

  it('of a user who is deleted comes by itself, and pages are whole', async () => {
    await db.run(
      "INSERT INTO users (id, name) VALUES (7001, 'Gone'); DELETE FROM users WHERE id = 7001",
    )
    expect((await ring()).revoked['user:7001']).toEqual(expect.any(Number))
    const found: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await ask('GET', `/api/revocations?limit=2${cursor}`)
      found.push(...(body.revocations as { principal: string }[]).map(({ principal }) => principal))
      if (body.next_cursor === null) break
      cursor = `&cursor=${body.next_cursor}`
    }
    expect(new Set(found)).toEqual(new Set(Object.keys((await ring()).revoked)))
    expect(found).toHaveLength(new Set(found).size)
    expect(await ask('GET', '/api/revocations?cursor=x')).toMatchObject({
      body: { code: 'invalid_cursor' },
    })
  })
})
