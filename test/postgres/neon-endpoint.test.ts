import { neon, neonConfig } from '@neondatabase/serverless'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { orders } from '../../drizzle/schema.ts'
import { createDatabase, newestServer } from '../support/database.ts'

describe('the local Neon endpoint, through the real driver', () => {
  let url: string
  let server: Awaited<ReturnType<typeof serveNeonEndpoint>>

  beforeAll(async () => {
    url = (await createDatabase(newestServer)).url
    server = await serveNeonEndpoint(url, await freePort())
    neonConfig.fetchEndpoint = () => server.url
  })
  afterAll(() => server.close())

  it('writes and reads rows as the API does', async () => {
    const db = drizzle(neon(url))
    const given = {
      customer_name: 'Ada',
      product_name: 'Bell',
      amount: 12.5,
      status: 'filled',
    } as const
    const [row] = await db.insert(orders).values(given).returning()
    expect(row).toMatchObject({ ...given, version: 1, customer_email: null })
    expect(row?.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/)
    expect(await db.select().from(orders)).toEqual([row])
  })

  it('reports a refusal with its SQLSTATE, and undoes a batch as a whole', async () => {
    const db = drizzle(neon(url))
    const bad = { customer_name: ' ', product_name: 'Bell', amount: 1 }
    await expect(db.insert(orders).values(bad)).rejects.toMatchObject({
      cause: { code: '23514', constraint: 'orders_customer_name_not_blank' },
    })
    const good = { ...bad, customer_name: 'Batch' }
    await expect(
      db.batch([db.insert(orders).values(good), db.insert(orders).values(bad)]),
    ).rejects.toMatchObject({ code: '23514' })
    const { rows } = await db.execute(sql`select from orders where customer_name = 'Batch'`)
    expect(rows).toEqual([])
  })

  it('serves its own database only', async () => {
    const other = new URL(url)
    other.pathname = '/another'
    await expect(neon(other.href)`select 1`).rejects.toThrow(/another database/)
  })
})
