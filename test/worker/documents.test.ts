import { beforeAll, describe, expect, it } from 'vitest'
import { worker } from './subscriber.ts'

// Loading the worker takes seconds on a busy machine, and is no test's time.
beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))

describe('the OpenAPI document', () => {
  it('describes every door', async () => {
    const response = await worker.fetch('http://belfry.test/openapi.json')
    expect(response.status).toBe(200)
    const { openapi, paths } = await response.json<{ openapi: string; paths: object }>()
    expect(openapi).toBe('3.1.0')
    expect(Object.keys(paths).toSorted()).toEqual([
      '/api/admin/feed/epoch',
      '/api/admin/parked',
      '/api/admin/parked/{consumer}/{position}',
      '/api/admin/parked/{consumer}/{position}/redrive',
      '/api/changes',
      '/api/changes/stream',
      '/api/changes/ws',
      '/api/emails',
      '/api/emails/live',
      '/api/emails/redrive',
      '/api/emails/{id}',
      '/api/emails/{id}/cancel',
      '/api/emails/{id}/redrive',
      '/api/mail-rules',
      '/api/mail-rules/{id}',
      '/api/mail-suppressions',
      '/api/mail-suppressions/{mailbox}',
      '/api/mail-templates',
      '/api/mail-templates/{name}/preview',
      '/api/me',
      '/api/me/notifications',
      '/api/me/notifications/mark',
      '/api/me/notifications/mark-all',
      '/api/me/notifications/mark-all/undo',
      '/api/me/notifications/open',
      '/api/me/notifications/stream',
      '/api/me/notifications/ws',
      '/api/me/notifications/{id}',
      '/api/me/notifications/{id}/archived',
      '/api/me/notifications/{id}/read',
      '/api/me/notifications/{id}/seen',
      '/api/me/orders',
      '/api/me/orders/stream',
      '/api/me/orders/ws',
      '/api/me/preferences',
      '/api/me/tickets',
      '/api/notification-categories',
      '/api/notification-categories/{name}',
      '/api/notification-rules',
      '/api/notification-rules/{id}',
      '/api/notifications',
      '/api/notifications/redrive',
      '/api/notifications/{id}',
      '/api/notifications/{id}/cancel',
      '/api/notifications/{id}/redrive',
      '/api/orders',
      '/api/orders/{id}',
      '/api/status',
      '/api/tables',
      '/api/tables/{table}/rows',
      '/api/unsubscribe/{token}',
      '/api/users',
      '/api/users/load',
      '/api/users/{id}',
      '/api/webhooks',
      '/api/webhooks/{id}',
      '/api/webhooks/{id}/deliveries',
      '/api/webhooks/{id}/deliveries/redrive',
      '/api/webhooks/{id}/deliveries/{delivery}',
      '/api/webhooks/{id}/deliveries/{delivery}/cancel',
      '/api/webhooks/{id}/deliveries/{delivery}/redrive',
      '/api/webhooks/{id}/rotate-secret',
      '/api/webhooks/{id}/test',
      '/healthz',
      '/metrics',
      '/webhooks/resend',
    ])
  })

  it('says of every route of a user that it takes a token', async () => {
    const response = await worker.fetch('http://belfry.test/openapi.json')
    const { paths } = await response.json<{ paths: Record<string, Record<string, object>> }>()
    const own = Object.entries(paths).filter(([path]) => path.startsWith('/api/me'))
    for (const [path, methods] of own)
      for (const [method, operation] of Object.entries(methods))
        expect(operation, `${method} ${path}`).toMatchObject({ security: [{ user: [] }] })
    expect(own.length).toBeGreaterThan(10)
  })

  it('P60 what is not there is a problem, and so is another method', async () => {
    const missing = await worker.fetch('http://belfry.test/api/nothing')
    expect(missing.status).toBe(404)
    expect(missing.headers.get('content-type')).toContain('application/problem+json')
    const wrong = await worker.fetch('http://belfry.test/api/changes', { method: 'DELETE' })
    expect(wrong.status).toBe(405)
    expect(await wrong.json()).toMatchObject({ code: 'method_not_allowed', retry: false })
  })
})
