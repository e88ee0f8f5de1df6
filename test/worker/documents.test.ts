import { beforeAll, describe, expect, it } from 'vitest'
import { worker } from './subscriber.ts'

// Loading the worker takes seconds on a busy machine, and is no test's time.
beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))

type Document = {
  paths: Record<string, Record<string, { security?: unknown; description?: string }>>
  components: { securitySchemes: object }
}

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
      '/api/audit',
      '/api/changes',
      '/api/changes/stream',
      '/api/changes/ws',
      '/api/emails',
      '/api/emails/live',
      '/api/emails/redrive',
      '/api/emails/{id}',
      '/api/emails/{id}/cancel',
      '/api/emails/{id}/redrive',
      '/api/keys',
      '/api/keys/{id}',
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
      '/api/orders/{id}/life',
      '/api/revocations',
      '/api/status',
      '/api/tables',
      '/api/tables/{table}/rows',
      '/api/tickets',
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

  it('P94 says of every operation what it needs', async () => {
    const response = await worker.fetch('http://belfry.test/openapi.json')
    const document = await response.json<Document>()
    const needs = Object.fromEntries(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { security }]) => [`${method} ${path}`, security]),
      ),
    )
    expect(Object.values(needs)).not.toContain(undefined)
    expect(needs).toMatchObject({
      'get /healthz': [],
      'get /api/me': [{ bearer: [] }],
      'get /api/orders': [{ bearer: ['orders:read'] }],
      'patch /api/orders/{id}': [{ bearer: ['orders:write'] }],
      'get /api/changes': [{ bearer: [] }],
      'get /api/emails/{id}': [{ bearer: ['admin'] }],
    })
    expect(document.paths['/api/orders']?.post?.description).toMatch(
      /Needs the scope `orders:write`\.$/,
    )
    expect(document.components.securitySchemes).toEqual({
      bearer: expect.objectContaining({ type: 'http', scheme: 'bearer' }),
    })
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

type Operation = {
  parameters?: { name: string; in: string; required?: boolean }[]
  responses: Record<string, { headers?: Record<string, object> }>
}

/** By method and path, of all that the worker has. */
async function readOperations(): Promise<Map<string, Operation>> {
  const response = await worker.fetch('http://belfry.test/openapi.json')
  const { paths } = await response.json<{ paths: Record<string, Record<string, Operation>> }>()
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation]),
    ),
  )
}

/** Why they name no version: me-marks.ts, mail-suppressions.ts. */
const UNVERSIONED = [
  'put /api/mail-suppressions/{mailbox}',
  'put /api/me/notifications/{id}/archived',
  'put /api/me/notifications/{id}/read',
  'put /api/me/notifications/{id}/seen',
]

const header = ({ parameters = [] }: Operation, name: string) =>
  parameters.find((each) => each.in === 'header' && each.name === name)
const named = (operations: Map<string, Operation>, begins: RegExp) =>
  [...operations].filter(([name]) => begins.test(name) && !UNVERSIONED.includes(name))

describe('every write over the API', () => {
  it('P99 that changes a resource needs If-Match, and what it changes is read with an ETag', async () => {
    const operations = await readOperations()
    const changing = named(operations, /^(put|patch) /)
    expect(changing.length).toBeGreaterThan(8)
    for (const [name, operation] of changing) {
      expect([name, header(operation, 'if-match')?.required]).toEqual([name, true])
      expect(Object.keys(operation.responses), name).toEqual(expect.arrayContaining(['412', '428']))
      const read = operations.get(name.replace(/^\w+/, 'get'))
      for (const { responses } of [operation, read ?? operation])
        expect(responses['200']?.headers, name).toHaveProperty('ETag')
    }
  })

  it('P99 that deletes one of those may name its version', async () => {
    const operations = await readOperations()
    for (const [name] of named(operations, /^(put|patch) /)) {
      const operation = operations.get(name.replace(/^\w+/, 'delete'))
      if (operation) expect(header(operation, 'if-match'), name).toMatchObject({ required: false })
    }
  })

  it('P100 that creates a resource takes an Idempotency-Key', async () => {
    const creating = named(await readOperations(), /^post /).filter(
      ([, { responses }]) => '201' in responses,
    )
    expect(creating.map(([name]) => name).sort()).toEqual(
      expect.arrayContaining([
        'post /api/keys',
        'post /api/mail-rules',
        'post /api/notification-rules',
        'post /api/notifications',
        'post /api/orders',
        'post /api/users',
        'post /api/webhooks',
      ]),
    )
    for (const [name, operation] of creating.filter(([name]) => !/tickets$/.test(name))) {
      expect(header(operation, 'idempotency-key'), name).toMatchObject({ required: false })
      expect(Object.keys(operation.responses), name).toEqual(expect.arrayContaining(['409', '422']))
    }
  })
})
