import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { verify } from 'hono/jwt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalServer } from '../../dev/local-http.ts'
import { serveSignIn } from '../../dev/sign-in.ts'
import { createDatabase, newestServer, once } from '../support/database.ts'

const secret = 'a secret of the tests'
const dashboardPort = 8787
const TWELVE_HOURS_S = 12 * 3_600

type Signed = { token: string; expires_at: string }

describe('the sign-in server of a local run', () => {
  let server: LocalServer

  beforeAll(async () => {
    const { url } = await createDatabase(newestServer)
    await once(
      url,
      "INSERT INTO users (id, name, email) VALUES (3, 'Ada', 'ada@belfry.test'), (12, 'Eve', null)",
    )
    server = await serveSignIn({ port: 0, dashboardPort, databaseUrl: url, secret })
  })

  afterAll(() => server.close())

  it('gives out a token of twelve hours for each user, and for one', async () => {
    const { body: users } = await ask<Signed[]>('/users')
    const { body: token } = await ask<Signed>('/token?user=12')
    expect(users).toEqual([
      { id: 3, name: 'Ada', email: 'ada@belfry.test', token: anyText, expires_at: anyText },
      { id: 12, name: 'Eve', email: null, token: anyText, expires_at: anyText },
    ])
    for (const [place, given] of [...users, token].entries()) {
      const user = place === 0 ? '3' : '12'
      const { sub, exp, iat } = await verify(given.token, secret, 'HS256')
      expect(sub).toBe(user)
      expect(Number(exp) - Number(iat)).toBe(TWELVE_HOURS_S)
      expect(Date.parse(given.expires_at)).toBe(Number(exp) * 1000)
    }
  })

  it('gives out a token of one hour for who runs it, who is no user', async () => {
    const { status, body } = await ask<Signed>('/staff')
    expect(status).toBe(200)
    const { iat, exp, ...claims } = await verify(body.token, secret, 'HS256')
    expect(claims).toEqual({ sub: 'local', scope: 'admin' })
    expect(Number(exp) - Number(iat)).toBe(3_600)
    expect(Date.parse(body.expires_at)).toBe(Number(exp) * 1000)
  })

  it.each(['/users', '/staff'])(
    'P90 %s answers no page but the dashboard, and no name but this machine’s',
    async (path) => {
      const dashboard = `http://localhost:${dashboardPort}`
      const allowed = await ask(path, { origin: dashboard })
      expect(allowed.status).toBe(200)
      expect(allowed.headers).toMatchObject({
        'access-control-allow-origin': dashboard,
        'cross-origin-resource-policy': 'same-origin',
      })
      for (const headers of [
        { origin: 'https://evil.test' },
        { origin: `http://127.0.0.1:${dashboardPort + 1}` },
        { origin: `http://localhost:${dashboardPort}.evil.test` },
        { origin: 'null' },
        { host: 'evil.test' },
        { host: '127.0.0.1.evil.test:80' },
      ]) {
        const refused = await ask(path, headers)
        expect({ headers, status: refused.status }).toEqual({ headers, status: 403 })
        expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
        expect(JSON.stringify(refused.body)).not.toContain('token')
      }
    },
  )

  it.each([
    ['/token?user=4', 404, 'belfry users list'],
    ['/token', 400, 'token?user=3'],
    ['/token?user=', 400, 'token?user=3'],
    ['/token?user=3%20or%201=1', 400, 'token?user=3'],
    ['/token?user=99999999999999999999', 400, 'token?user=3'],
    ['/', 404, '/users'],
  ])('%s is refused in words', async (path, status, words) => {
    expect(await ask(path)).toMatchObject({
      status,
      body: { message: expect.stringContaining(words) },
    })
  })

  const anyText = expect.any(String)

  /** fetch lets nobody say which host is meant. */
  function ask<Body = unknown>(path: string, headers: Record<string, string> = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<{
      status: number | undefined
      headers: NodeJS.Dict<string | string[]>
      body: Body
    }>()
    request(server.url + path, { headers }, async (response) =>
      resolve({
        status: response.statusCode,
        headers: response.headers,
        body: (await json(response)) as Body,
      }),
    )
      .once('error', reject)
      .end()
    return promise
  }
})
