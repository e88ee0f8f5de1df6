import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatRowCursor } from '../../worker/api/row-cursor.ts'
import { DatabaseStandIn, refusedWith, rowPage, watched } from './database-stand-in.ts'
import { bindings } from './link.ts'

/** The routes before a stand-in; what Postgres makes of the statement is in test/postgres. */

afterEach(() => {
  vi.restoreAllMocks()
})

const SHOP = { orders: ['id', 'status'], 'shop.a/b?c#d': ['no'] }

type Page = { rows: object[]; oversize: object[]; next_cursor: string | null }

/** Answers the catalog, then pages. */
function serving(...pages: Response[]): DatabaseStandIn {
  return new DatabaseStandIn((statement) => {
    if (statement.includes('belfry.watched')) return watched(SHOP)
    const page = pages.shift()
    if (!page) throw new Error('one page too many')
    return page
  })
}

describe('GET /api/tables', () => {
  it('lists what is watched, with keys and columns', async () => {
    const response = await DatabaseStandIn.watching(SHOP).visit('/api/tables')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      tables: [
        {
          table: 'orders',
          key: ['id'],
          columns: [
            { name: 'id', type: 'text' },
            { name: 'status', type: 'text' },
          ],
        },
        { table: 'shop.a/b?c#d', key: ['no'], columns: [{ name: 'no', type: 'text' }] },
      ],
    })
  })

  it('P60 is a problem without a database, and the next one is asked anew', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const database = DatabaseStandIn.down()
    const response = await database.visit('/api/tables')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'database_unavailable', retry: true })
    database.answers(() => watched(SHOP))
    expect((await database.visit('/api/tables')).status).toBe(200)
  })
})

describe('GET /api/tables/{table}/rows', () => {
  it('P5 gives the rows as they are in changes, and where to go on', async () => {
    const database = serving(
      rowPage([
        ['{"id":9007199254740993,"status":"filled"}', null, null],
        [null, '{"id" : 9007199254740997}', '["9007199254740997"]'],
      ]),
      rowPage([['{"id":9007199254740995,"status":null}', null, null]]),
    )
    const first = await (await database.visit('/api/tables/orders/rows')).json<Page>()
    expect(first).toEqual({
      table: 'orders',
      key: ['id'],
      rows: [{ id: '9007199254740993', status: 'filled' }],
      oversize: [{ id: '9007199254740997' }],
      next_cursor: await formatRowCursor(bindings, {
        table: 'orders',
        after: ['9007199254740997'],
      }),
    })
    const path = `/api/tables/orders/rows?limit=1000&cursor=${first.next_cursor}`
    expect(await (await database.visit(path)).json()).toMatchObject({
      rows: [{ id: '9007199254740995', status: null }],
      next_cursor: null,
    })
    expect(database.statements).toHaveLength(3)
  })

  it('finds a table of any name', async () => {
    const database = serving(rowPage([]))
    const path = `/api/tables/${encodeURIComponent('shop.a/b?c#d')}/rows`
    expect(await (await database.visit(path)).json()).toMatchObject({ key: ['no'], rows: [] })
    expect(database.statements[1]).toContain('FROM ONLY public.shop.a/b?c#d AS y')
  })

  it.each([
    'order',
    'Orders',
    'public.orders',
    'belfry.outbox',
    'pg_catalog.pg_authid',
    'orders"; DROP TABLE orders; --',
    'orders WHERE true',
    "orders' OR '1'='1",
    '__proto__',
    '%00',
    'x'.repeat(5_000),
  ])('P60 %s is not watched: 404, and no statement has its name', async (name) => {
    const database = serving()
    const response = await database.visit(`/api/tables/${encodeURIComponent(name)}/rows`)
    expect(response.status).toBe(404)
    const body = await response.json<{ detail: string }>()
    expect(body).toMatchObject({ code: 'not_found' })
    expect(body.detail.length).toBeLessThan(250)
    expect(database.statements).toHaveLength(1)
    expect(database.statements[0]).toContain('belfry.watched')
  })

  const cursor = (value: unknown) => btoa(JSON.stringify(value)).replaceAll('=', '')

  it.each([
    ['limit=0', 'invalid_query'],
    ['limit=1001', 'invalid_query'],
    ['limit=1e2', 'invalid_query'],
    ['limit=', 'invalid_query'],
    ['limit=1&limit=2', 'invalid_query'],
    ['status=filled', 'invalid_query'],
    ['after=5', 'invalid_query'],
    ['cursor=a&cursor=b', 'invalid_query'],
    ['cursor=', 'invalid_cursor'],
    ['cursor=!', 'invalid_cursor'],
    ['cursor=abc', 'invalid_cursor'],
    [`cursor=${'A'.repeat(10_000)}`, 'invalid_cursor'],
    [`cursor=${cursor(null)}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders' })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders', after: [] })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders', after: [1] })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders', after: ['1', '2'] })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders', after: ['\0'] })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'orders', after: ['1'], limit: 5 })}`, 'invalid_cursor'],
    [`cursor=${cursor({ table: 'users', after: ['1'] })}`, 'invalid_cursor'],
  ])('P60 ?%s: %s, and no rows are read', async (query, code) => {
    const database = serving()
    const response = await database.visit(`/api/tables/orders/rows?${query}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code, retry: false })
    expect(database.statements.length).toBeLessThanOrEqual(1)
  })

  it('P60 a cursor whose value Postgres cannot read is a bad cursor, not a failure', async () => {
    const database = serving(refusedWith('22P02'))
    const forged = await formatRowCursor(bindings, {
      table: 'orders',
      after: ["1'; DROP TABLE orders; --"],
    })
    const response = await database.visit(`/api/tables/orders/rows?cursor=${forged}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_cursor' })
    expect(database.statements[1]).not.toContain('DROP')
  })

  it('finds a table that was watched since the catalog was read', async () => {
    const database = new DatabaseStandIn((statement) =>
      statement.includes('belfry.watched') ? watched({}) : rowPage([]),
    )
    const visit = async () => (await database.visit('/api/tables/orders/rows')).status
    expect(await visit()).toBe(404)
    database.answers((statement) =>
      statement.includes('belfry.watched') ? watched(SHOP) : rowPage([]),
    )
    expect(await visit()).toBe(200)
    expect(database.statements).toHaveLength(3)
  })

  it('a table that was renamed since is looked for once more', async () => {
    const database = serving(refusedWith('42P01'), rowPage([['{"id":1}', null, null]]))
    const response = await database.visit('/api/tables/orders/rows')
    expect(await response.json()).toMatchObject({ rows: [{ id: 1 }] })
    expect(database.statements.filter((each) => each.includes('belfry.watched'))).toHaveLength(2)
  })

  it('P60 what stays broken is a problem without a word of SQL', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const database = serving(refusedWith('42P01'), refusedWith('42P01'))
    const response = await database.visit('/api/tables/orders/rows')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toMatch(/inner words|SELECT/)
  })
})
