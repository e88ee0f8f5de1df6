import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  bookOf,
  isRevoked,
  KeyringUnknown,
  keyOfHash,
  renewKeyring,
  userOfSubject,
} from '../../worker/doors/keyring-book.ts'
import { DatabaseStandIn } from './database-stand-in.ts'
import { freshKeyring, revoke, userOf } from './keyring-world.ts'
import { bindings } from './link.ts'

/** The Keyring, and what an isolate keeps of it, before a database that a test speaks for. */

let database: DatabaseStandIn
let name: string
let now: number
const object = () => bindings.KEYRING.getByName(name)
const hash = (byte: string) => byte.repeat(32)
const key = (id: number, expires_ms: number | null = null) => ({
  ...{ id, hash: hash(`0${id}`), scopes: ['orders:read'], expires_ms },
})
const pass = (ms: number) => {
  now += ms
  vi.setSystemTime(now)
}

beforeEach(() => {
  now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now })
  name = freshKeyring()
  database = new DatabaseStandIn(() => rowsOf('id', []))
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function rowsOf(field: string, values: string[]): Response {
  const rows = values.map((value) => [value])
  const fields = [{ name: field, dataTypeID: 25 }]
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}

describe('P96 what is revoked', () => {
  it('is known to an isolate within 6 s, with at most one question a second to the database', async () => {
    expect(isRevoked(await bookOf(bindings), userOf('7'))).toBe(false)
    revoke(database, 'user:7', now)
    let known = 0
    for (; known <= 10_000; known += 100, pass(100))
      if (isRevoked(await bookOf(bindings), userOf('7', { issuedAt: now - 60_000 }))) break
    expect(known).toBeLessThanOrEqual(6_000)
    expect(database.ringsAsked).toBeLessThanOrEqual(3)
  })

  it('is what was issued until then, and all of a key', async () => {
    revoke(database, 'user:7', now)
    revoke(database, 'key:7', now)
    const book = await bookOf(bindings)
    const of = (issuedAt: number | null) => ({ name: 'user:7', issuedAt })
    expect(isRevoked(book, of(now - 1))).toBe(true)
    expect(isRevoked(book, of(now))).toBe(true)
    expect(isRevoked(book, of(now + 1))).toBe(false)
    expect(isRevoked(book, of(null))).toBe(true)
    expect(isRevoked(book, { name: 'key:7', issuedAt: null })).toBe(true)
    expect(isRevoked(book, { name: 'user:70', issuedAt: 0 })).toBe(false)
  })

  it('stays so while the database is down, through an eviction', async () => {
    revoke(database, 'user:7', now)
    await bookOf(bindings)
    database.hasRing = false
    pass(60_000)
    await evictDurableObject(object())
    expect(isRevoked(await bookOf(bindings), userOf('7'))).toBe(true)
  })

  it('is believed by an isolate for 8 s when the object cannot be asked, and then nothing is', async () => {
    await bookOf(bindings)
    vi.spyOn(bindings.KEYRING, 'getByName').mockImplementation(() => {
      throw new Error('it is being moved')
    })
    pass(7_900)
    await bookOf(bindings)
    pass(100)
    await expect(bookOf(bindings)).rejects.toThrow(KeyringUnknown)
  })

  it('nobody knows without a database and without a copy', async () => {
    database.hasRing = false
    await expect(bookOf(bindings)).rejects.toThrow(KeyringUnknown)
    database.hasRing = true
    pass(1_000)
    await expect(bookOf(bindings)).resolves.toMatchObject({ revoked: new Map() })
  })

  it('a database that hangs holds nobody back who has a copy', async () => {
    await bookOf(bindings)
    database.hasRing = false
    pass(6_000)
    await bookOf(bindings)
    vi.spyOn(globalThis, 'fetch').mockReturnValue(new Promise(() => undefined))
    pass(6_000)
    await bookOf(bindings)
  })

  it('of more users than one value of the storage holds is kept', async () => {
    const users = Array.from({ length: 25_000 }, (_, n) => [`user:${n}`, now + n])
    const revoked = Object.fromEntries(users)
    database.ring = { keys: [], revoked }
    expect((await bookOf(bindings)).revoked.size).toBe(25_000)
    database.hasRing = false
    await evictDurableObject(object())
    pass(6_000)
    expect((await bookOf(bindings)).revoked.get('user:24999')).toBe(revoked['user:24999'])
  })

  it.each([-3_600_000, 3_600_000])(
    'is asked for anew after the clock was set by %d ms',
    async (ms) => {
      await bookOf(bindings)
      revoke(database, 'user:7', now)
      pass(ms)
      expect((await bookOf(bindings)).revoked.has('user:7')).toBe(true)
    },
  )
})

describe('P95 an API key', () => {
  it('is found by its hash, a new one at once, and one that is revoked no more', async () => {
    await bookOf(bindings)
    pass(1_000)
    database.ring = { keys: [key(1), key(2, now + 5)], revoked: {} }
    expect(await keyOfHash(bindings, hash('02'))).toEqual({
      ...{ id: '2', scopes: ['orders:read'], expiresAt: now + 5 },
    })
    expect(await keyOfHash(bindings, hash('03'))).toBeNull()
    database.ring = { keys: [key(1)], revoked: { 'key:2': now } }
    pass(6_000)
    expect(await keyOfHash(bindings, hash('02'))).toBeNull()
    expect(await keyOfHash(bindings, hash('01'))).not.toBeNull()
  })

  it('that the API has just made is known to whoever asks next', async () => {
    await bookOf(bindings)
    database.ring = { keys: [key(1)], revoked: {} }
    pass(100)
    expect(await keyOfHash(bindings, hash('01'))).toBeNull()
    await renewKeyring(bindings)
    pass(100)
    expect(await keyOfHash(bindings, hash('01'))).not.toBeNull()
  })

  it('of many that are guessed asks the database no oftener than once a second', async () => {
    await Promise.all(Array.from({ length: 100 }, () => keyOfHash(bindings, hash('0f'))))
    pass(900)
    await keyOfHash(bindings, hash('0f'))
    expect(database.ringsAsked).toBe(1)
  })

  it('is noted as used, once a minute', async () => {
    database.ring = { keys: [key(1), key(2)], revoked: {} }
    const used: string[][] = []
    database.answers((statement, params) => {
      if (statement.includes('last_used_at')) used.push(params)
      return rowsOf('id', [])
    })
    for (let n = 0; n < 20; n++) await keyOfHash(bindings, hash('01'))
    await runDurableObjectAlarm(object())
    expect(used).toEqual([['{1}']])
    await keyOfHash(bindings, hash('01'))
    expect(await runDurableObjectAlarm(object())).toBe(false)
    pass(60_000)
    await keyOfHash(bindings, hash('01'))
    await keyOfHash(bindings, hash('02'))
    await runDurableObjectAlarm(object())
    expect(used).toEqual([['{1}'], ['{1,2}']])
  })
})

describe('the user of a subject', () => {
  const answers = (users: Record<string, string>) =>
    database.answers((_, [subject = '']) => rowsOf('id', [users[subject] ?? []].flat()))

  it('is looked up, and remembered for a minute', async () => {
    answers({ 'auth0|1': '42' })
    expect(await userOfSubject(bindings, 'auth0|1')).toBe('42')
    expect(await userOfSubject(bindings, 'auth0|2')).toBeNull()
    answers({ 'auth0|2': '43' })
    expect(await userOfSubject(bindings, 'auth0|1')).toBe('42')
    pass(5_000)
    expect(await userOfSubject(bindings, 'auth0|2')).toBe('43')
    pass(60_000)
    expect(await userOfSubject(bindings, 'auth0|1')).toBeNull()
  })

  it('is believed while the database is down, of one that was known', async () => {
    answers({ 'auth0|1': '42' })
    await userOfSubject(bindings, 'auth0|1')
    database.answers(() => new Response('down', { status: 502 }))
    pass(600_000)
    expect(await userOfSubject(bindings, 'auth0|1')).toBe('42')
    await expect(userOfSubject(bindings, 'auth0|2')).rejects.toThrow(KeyringUnknown)
  })
})
