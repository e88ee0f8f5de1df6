import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const MINUTE_MS = 60_000

let given: number
let leftMs: number
let isThere: boolean

/** The dashboard's own `/sign-in.json`, and the server that it names. */
async function serve(address: string | URL): Promise<Response> {
  if (String(address) === '/sign-in.json')
    return Response.json({ signInUrl: 'http://127.0.0.1:8788' })
  if (!isThere) throw new TypeError('fetch failed')
  expect(String(address)).toBe('http://127.0.0.1:8788/staff')
  const expires_at = new Date(Date.now() + leftMs).toISOString()
  return Response.json({ token: `token ${++given}`, expires_at })
}

beforeEach(() => {
  given = 0
  leftMs = 60 * MINUTE_MS
  isThere = true
  vi.resetModules()
  vi.stubGlobal('fetch', serve)
})
afterEach(() => void vi.unstubAllGlobals())

const load = () => import('../../../client/dashboard/local-run/staff.ts')

test('P95 a local run’s token is asked for once, by however many, and again when it was refused', async () => {
  const { staffToken } = await load()
  expect(await Promise.all([staffToken(null), staffToken(null)])).toEqual(['token 1', 'token 1'])
  expect(await staffToken(null)).toBe('token 1')
  expect(await staffToken('token 1')).toBe('token 2')
  expect(await staffToken('token 1')).toBe('token 2')
})

test('P96 it is renewed before it ends, early enough for a socket that prolongs its session', async () => {
  const { staffToken } = await load()
  leftMs = 12 * MINUTE_MS
  await staffToken(null)
  expect(await staffToken(null)).toBe('token 2')
})

test('says what to do when the local run has ended', async () => {
  const { staffToken } = await load()
  isThere = false
  await expect(staffToken(null)).rejects.toThrow('`npm start`')
  isThere = true
  expect(await staffToken(null)).toBe('token 1')
})
