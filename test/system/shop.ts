import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, expect } from 'vitest'

/**
 * Orders through a running system: worker, HTTP driver, Postgres. `BELFRY_LOCAL` is the path of
 * its local.json. Every order made here bears a name of this run, and is deleted after it.
 */
type Local = { url: string; databaseUrl: string; signInUrl: string; adminToken: string }
export type Order = {
  id: number
  customer_name: string
  product_name: string
  status: string
  amount: number
  customer_email: string | null
  version: number
  created_at: string
  updated_at: string
}

const file = process.env.BELFRY_LOCAL
if (!file) throw new Error('Set BELFRY_LOCAL to the path of a running system’s .belfry/local.json.')
export const local: Local = JSON.parse(readFileSync(file, 'utf8'))
export const run = `Run ${crypto.randomUUID()}`
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/

export const database = new pg.Client({ connectionString: local.databaseUrl })
beforeAll(() => database.connect())
afterAll(async () => {
  await database.query('DELETE FROM orders WHERE starts_with(customer_name, $1)', [run])
  await database.end()
})

/** Whatever is there is changed, unless the headers name a version. */
export async function ask<Body = Record<string, unknown>>(
  path: string,
  method = 'GET',
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(local.url + path, {
    method,
    headers: {
      Authorization: `Bearer ${local.adminToken}`,
      'If-Match': '*',
      ...headers,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type')
  return {
    status: response.status,
    location: response.headers.get('location'),
    tag: response.headers.get('etag'),
    type,
    body: (text === '' ? null : JSON.parse(text)) as Body,
  }
}

export async function create(fields: object = {}): Promise<Order> {
  const order = { customer_name: run, product_name: 'Engine', amount: 12.5, ...fields }
  const { status, body } = await ask<Order>('/api/orders', 'POST', order)
  expect({ status, body }).toMatchObject({ status: 201 })
  return body
}

/** Every page of a list, as a client walks them. */
export async function walk(query: string): Promise<Order[]> {
  const found: Order[] = []
  let cursor: string | null = null
  do {
    const from: string = cursor === null ? '' : `&cursor=${cursor}`
    const { body } = await ask<{ orders: Order[]; next_cursor: string | null }>(
      `/api/orders?customer=${encodeURIComponent(run)}&${query}${from}`,
    )
    found.push(...body.orders)
    cursor = body.next_cursor
  } while (cursor !== null)
  return found
}
