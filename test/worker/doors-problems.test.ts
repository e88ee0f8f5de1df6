import { Hono } from 'hono'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { problems } from '../../protocol/problems.ts'
import { onError } from '../../worker/api/problem.ts'
import { requestId } from '../../worker/doors/request-id.ts'
import { worker } from './subscriber.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

type Answer = { content?: Record<string, { schema?: { $ref?: string } }>; headers?: object }
type Operation = { responses: Record<string, Answer>; requestBody?: { content: object } }
type Document = { paths: Record<string, Record<string, Operation>>; 'x-problems': object }

let document: Document
beforeAll(async () => {
  document = await (await worker.fetch('http://belfry.test/openapi.json')).json<Document>()
})

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}

describe('P102 the published table', () => {
  it('is the one that refusals are made from', () => {
    expect(document['x-problems']).toEqual(problems)
  })

  it('says of each code what it means and what to do', () => {
    for (const [code, { title, meaning, status }] of Object.entries(problems)) {
      expect(title, code).toMatch(/^[A-Z].*[^.]$/)
      expect(meaning, code).toMatch(/^.{40,}\.$/)
      expect(status, code).toBeGreaterThanOrEqual(400)
    }
  })
})

describe('P102 the document of each operation', () => {
  it('has what the doors answer in its place', () => {
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`
      const isOpen = /^\/(healthz|openapi\.json|webhooks|api\/unsubscribe)/.test(path)
      const takesJson = 'application/json' in (operation.requestBody?.content ?? {})
      const expected = [
        ...[429, 500],
        ...(isOpen ? [] : [401, 403, 503]),
        ...(method === 'get' ? [] : [403]),
        ...(takesJson ? [400, 408, 413, 415] : []),
      ]
      for (const status of expected) {
        const content = operation.responses[status]?.content?.['application/problem+json']
        expect(content?.schema, `${where} ${status}`).toEqual({
          $ref: '#/components/schemas/Problem',
        })
      }
    }
    expect(operations().length).toBeGreaterThan(60)
  })

  it('names the headers that every answer has', () => {
    for (const { path, method, operation } of operations())
      for (const [status, { headers }] of Object.entries(operation.responses)) {
        expect(headers, `${method} ${path} ${status}`).toHaveProperty('X-Request-Id')
        if (path.startsWith('/api/')) expect(headers).toHaveProperty('RateLimit')
        if (status === '429') expect(headers).toHaveProperty('Retry-After')
      }
  })
})

describe('P106 what fails is logged under the id of its request', () => {
  const failing = new Hono()
  failing.onError(onError)
  failing.use(requestId)
  failing.all('*', () => {
    throw new TypeError('inner words')
  })

  it.each([
    ['/api/orders/7?ticket=t0psecret&token=t0psecret', '/api/orders/7'],
    ['/api/unsubscribe/t0psecret', '/api/unsubscribe/…'],
    ['/api/unsubscribe/t0psecret%0A', '/api/unsubscribe/…'],
  ])('%s, with nothing secret and nothing inner', async (address, path) => {
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    const headers = { authorization: 'Bearer t0psecret' }
    const answer = await failing.request(address, { headers })
    expect(logged).toHaveBeenCalledTimes(1)
    const line = String(logged.mock.lastCall?.[0])
    expect(JSON.parse(line)).toMatchObject({
      path,
      code: 'internal',
      error: 'inner words',
      request_id: answer.headers.get('x-request-id'),
    })
    expect(line).not.toContain('t0psecret')
    const said = await answer.text()
    expect(JSON.parse(said)).toMatchObject({
      code: 'internal',
      request_id: answer.headers.get('x-request-id'),
    })
    expect(said).not.toContain('inner')
  })
})
