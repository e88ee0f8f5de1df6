import { createExecutionContext } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { describe, expect, it } from 'vitest'
import { app } from '../../worker/app.ts'
import type { Env } from '../../worker/env.ts'

const env = bindings as unknown as Env
const inAnHour = Math.floor(Date.now() / 1000) + 3_600

/** How somebody who holds a secret asks with it. */
const bearers = {
  ADMIN_TOKEN: async (secret: string) => secret,
  AUTH_SECRET: (secret: string) =>
    sign({ sub: 'staff', scope: 'admin', exp: inAnHour }, secret, 'HS256'),
}

// Of LINK_SECRET: feed.test.ts, cursors.test.ts and link.test.ts; of RESEND_WEBHOOK_SECRET:
// provider-webhook.test.ts.
describe.each(Object.entries(bearers))('P95 %s', (name, bearer) => {
  const [before, now] = [`${name}-before`, `${name}-of-now`]
  const secrets = { ADMIN_TOKEN: '', AUTH_SECRET: '', ANONYMOUS_SCOPES: '' }

  it('is good with the one before while it is rotated', async () => {
    const both = { ...secrets, [name]: now, [`${name}_PREVIOUS`]: before }
    expect(await statusWith(now, both)).toBe(200)
    expect(await statusWith(before, both)).toBe(200)
    expect(await statusWith('another-one', both)).toBe(401)
  })

  it('is alone good before and after', async () => {
    for (const settings of [{}, { [`${name}_PREVIOUS`]: '' }]) {
      const one = { ...secrets, [name]: now, ...settings }
      expect(await statusWith(now, one)).toBe(200)
      expect(await statusWith(before, one)).toBe(401)
      expect(await statusWith('', one)).toBe(401)
    }
  })

  async function statusWith(secret: string, settings: Partial<Env>): Promise<number> {
    const authorization = `Bearer ${secret === '' ? '' : await bearer(secret)}`
    const request = new Request('https://belfry.test/api/status', { headers: { authorization } })
    const response = await app.fetch(request, { ...env, ...settings }, createExecutionContext())
    await response.text()
    return response.status
  }
})
