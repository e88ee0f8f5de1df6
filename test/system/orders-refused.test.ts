import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask } from './shop.ts'

describe('P60: bad input gets a problem', () => {
  test.each([
    ['GET', '/api/orders/abc', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/0', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/9007199254740992', undefined, 400, 'invalid_id'],
    ['GET', '/api/orders/9007199254740991', undefined, 404, 'not_found'],
    ['GET', '/api/orders?limit=0', undefined, 400, 'invalid_query'],
    ['GET', '/api/orders?cursor=x', undefined, 400, 'invalid_cursor'],
    ['POST', '/api/orders', {}, 400, 'invalid_body'],
    [
      'POST',
      '/api/orders',
      { customer_name: 'a\0', product_name: 'b', amount: 1 },
      400,
      'invalid_body',
    ],
    [
      'POST',
      '/api/orders',
      { customer_name: 'a', product_name: 'b', amount: 1.005 },
      400,
      'invalid_body',
    ],
    ['PUT', '/api/orders/1', { amount: 1 }, 400, 'invalid_body'],
    ['PATCH', '/api/orders/1', {}, 400, 'invalid_body'],
    ['PATCH', '/api/orders/1', { version: 7 }, 400, 'invalid_body'],
    ['DELETE', '/api/orders/-1', undefined, 400, 'invalid_id'],
  ] as const)('%s %s %j: %i %s', async (method, path, body, status, code) => {
    const answer = await ask(path, method, body)
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      body: { code, status, type: `/docs/problems#${code}`, instance: path.split('?')[0] },
    })
  })

  test('whatever the body, the answer is a problem or an order', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.double())
    const body = fc.record(
      {
        customer_name: value,
        product_name: value,
        amount: value,
        status: value,
        customer_email: value,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (tried) => {
        const answer = await ask<Record<string, unknown>>('/api/orders', 'POST', tried)
        if (answer.status === 201) await ask(answer.location ?? '', 'DELETE')
        else expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_body' } })
      }),
      { numRuns: 200 },
    )
  })

  test('whatever the cursor, the answer is a problem or a page', async () => {
    const json = fc.record({
      sort: fc.constantFrom('-id', 'id', 'created_at'),
      value: fc.jsonValue(),
      id: fc.jsonValue(),
    })
    const cursor = fc.oneof(
      fc.string(),
      fc.jsonValue().map(encode),
      json.map(encode),
      fc
        .record({
          sort: fc.constant('created_at'),
          value: fc
            .date({ noInvalidDate: true })
            .map((date) => date.toISOString().replace('Z', '+00:00')),
          id: fc.nat(),
        })
        .map(encode),
    )
    await fc.assert(
      fc.asyncProperty(cursor, fc.constantFrom('-id', 'created_at'), async (text, sort) => {
        const { status, body } = await ask(
          `/api/orders?sort=${sort}&cursor=${encodeURIComponent(text)}`,
        )
        if (status !== 200) expect(body).toMatchObject({ status: 400, code: 'invalid_cursor' })
      }),
      { numRuns: 200 },
    )
  })
})

function encode(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}
