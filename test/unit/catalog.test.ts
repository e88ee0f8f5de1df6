import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { EVERY_TABLE, NOTHING, OPERATOR, type Scope } from '../../protocol/scope.ts'
import type { Subscription } from '../../protocol/subscription.ts'
import { Catalog } from '../../worker/api/catalog.ts'
import { refusalOf } from '../../worker/api/catalog-refusal.ts'
import type { WatchedTables } from '../../worker/api/watched-tables.ts'

/** Until all that can be done now is done. */
const settle = () => vi.advanceTimersByTimeAsync(0)

function watching(tables: Record<string, string[]>): WatchedTables {
  return new Map(
    Object.entries(tables).map(([name, columns]) => [
      name,
      {
        name,
        relation: `public.${name}`,
        key: [{ name: 'id', sql: 'id', type: 'pg_catalog.int8' }],
        columns: columns.map((column) => ({ name: column, type: 'text' })),
      },
    ]),
  )
}

const SHOP = watching({ orders: ['id', 'status', 'amount'], customers: ['id', 'email'] })

const wants = (table: string | undefined, ...columns: string[]): Subscription => ({
  ...(table !== undefined && { table }),
  where: Object.fromEntries(columns.map((column) => [column, 'x'])),
  scope: EVERY_TABLE,
})

describe('what a subscription may name', () => {
  test.each([
    [wants('orders'), SHOP, null],
    [wants('orders', 'status', 'id'), SHOP, null],
    [wants(undefined, 'email', 'status'), SHOP, null],
    [wants('order'), SHOP, 'table: "order" is not watched; watched are orders, customers'],
    [wants('toString'), SHOP, 'table: "toString" is not watched; watched are orders, customers'],
    [
      wants('orders', 'id', 'email'),
      SHOP,
      'email: orders has no such column; it has id, status, amount',
    ],
    [
      wants(undefined, 'colour'),
      SHOP,
      'colour: no watched table has such a column; watched are orders, customers',
    ],
    [
      wants('orders'),
      watching({}),
      `table: "orders" is not watched; nothing is: SELECT belfry.watch('…') watches a table`,
    ],
    [
      wants('x'.repeat(255)),
      watching({ a: [] }),
      `table: "${'x'.repeat(40)}…" is not watched; watched are a`,
    ],
    [
      wants('no'),
      watching(Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`t${n}`, []]))),
      `table: "no" is not watched; watched are ${Array.from({ length: 20 }, (_, n) => `t${n}`).join(', ')}, …`,
    ],
  ])('P60 %j', (subscription, tables, refusal) => {
    expect(refusalOf(subscription, tables)).toBe(refusal)
  })
})

describe('P92 Belfry’s own tables', () => {
  const tables = watching({ orders: ['id', 'customer_id'], users: ['id', 'email'] })
  const own: Scope = { kind: 'own', table: 'orders', column: 'customer_id', value: '7' }
  const USERS: Scope = { kind: 'tables', tables: ['users'] }
  const NONE =
    'table: "users" is not watched; nothing is: SELECT belfry.watch(\'…\') watches a table'

  test.each([
    [
      'who reads every table',
      EVERY_TABLE,
      'users',
      'table: "users" is not watched; watched are orders',
    ],
    [
      'who reads every table',
      EVERY_TABLE,
      undefined,
      'email: no watched table has such a column; watched are orders',
    ],
    ['who reads them by name', USERS, 'users', NONE],
    ['who reads nothing', NOTHING, 'users', NONE],
    [
      'who reads nothing',
      NOTHING,
      'orders',
      'table: "orders" is not watched; nothing is: SELECT belfry.watch(\'…\') watches a table',
    ],
    ['a user', own, 'users', 'table: "users" is not watched; watched are orders'],
    ['a user', own, undefined, 'email: no watched table has such a column; watched are orders'],
    ['who runs it', OPERATOR, 'users', null],
    ['who runs it', OPERATOR, undefined, null],
  ] as const)('to %s with %j, %s: %s', (_, scope, table, refusal) => {
    expect(refusalOf({ ...wants(table, 'email'), scope }, tables)).toBe(refusal)
  })
})

describe('the catalog at the doors', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 })
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  function begin() {
    const reads: PromiseWithResolvers<WatchedTables>[] = []
    const catalog = new Catalog(() => {
      const read = Promise.withResolvers<WatchedTables>()
      reads.push(read)
      return read.promise
    }, Date.now)
    const kept: Promise<unknown>[] = []
    const ask = (subscription: Subscription) =>
      catalog.refusal(subscription, (reading) => kept.push(reading))
    /** Asks, with the database answering at once. */
    const askOf = async (subscription: Subscription, tables: WatchedTables) => {
      const asked = ask(subscription)
      await settle()
      reads.at(-1)?.resolve(tables)
      return asked
    }
    return { reads, kept, catalog, ask, askOf }
  }

  it('does not ask of a subscription that names nothing', async () => {
    const { reads, ask } = begin()
    expect(await ask({ where: {}, ops: ['insert'] })).toBeNull()
    expect(reads).toHaveLength(0)
  })

  it('asks once for all who wait, and holds their requests open for it', async () => {
    const { reads, kept, ask } = begin()
    const asked = Array.from({ length: 1_000 }, (_, n) => ask(wants(n % 2 ? 'orders' : 'order')))
    await settle()
    expect(reads).toHaveLength(1)
    expect(kept).toHaveLength(1_000)
    reads[0]?.resolve(SHOP)
    const refused = (await Promise.all(asked)).filter((refusal) => refusal !== null)
    expect(refused).toHaveLength(500)
  })

  it('asks again after 30 s', async () => {
    const { reads, ask, askOf } = begin()
    await askOf(wants('orders'), SHOP)
    vi.advanceTimersByTime(29_999)
    expect(await ask(wants('orders'))).toBeNull()
    expect(reads).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(await askOf(wants('orders'), watching({}))).toMatch('nothing is')
  })

  it('refuses nobody by what was read before they came, and reads once in 2 s', async () => {
    const { reads, ask, askOf } = begin()
    await askOf(wants('orders'), SHOP)
    vi.advanceTimersByTime(500)
    const early = [ask(wants('invoices')), ask(wants('invoices', 'total')), ask(wants('nonsense'))]
    await vi.advanceTimersByTimeAsync(1_499)
    expect(reads).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(reads).toHaveLength(2)
    reads[1]?.resolve(watching({ orders: ['id'], invoices: ['id', 'total'] }))
    expect(await Promise.all(early)).toEqual([
      null,
      null,
      'table: "nonsense" is not watched; watched are orders, invoices',
    ])
  })

  it('nor by a read that had begun before they came', async () => {
    const { reads, ask, catalog } = begin()
    const first = ask(wants('orders'))
    await vi.advanceTimersByTimeAsync(1)
    const late = ask(wants('invoices'))
    const rows = catalog.tables((tables) => tables.has('invoices'))
    await settle()
    reads[0]?.resolve(SHOP)
    expect(await first).toBeNull()
    await vi.advanceTimersByTimeAsync(1_999)
    expect(reads).toHaveLength(2)
    reads[1]?.resolve(watching({ orders: ['id'], invoices: ['id'] }))
    expect(await late).toBeNull()
    expect((await rows).has('invoices')).toBe(true)
  })

  it('lets through after 2 s without an answer, and then nobody waits for 10 s', async () => {
    const { reads, ask } = begin()
    const waiting = ask(wants('nonsense'))
    await vi.advanceTimersByTimeAsync(1_999)
    expect(await Promise.race([waiting, 'still waiting'])).toBe('still waiting')
    await vi.advanceTimersByTimeAsync(1)
    expect(await waiting).toBeNull()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(await ask(wants('nonsense'))).toBeNull()
    expect(reads).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    // The same read is still under way, and is waited for once more.
    const again = ask(wants('orders'))
    await settle()
    expect(reads).toHaveLength(1)
    reads[0]?.resolve(SHOP)
    expect(await again).toBeNull()
  })

  it('a late answer counts, also before the 10 s are over', async () => {
    const { reads, ask } = begin()
    const waiting = ask(wants('nonsense'))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await waiting).toBeNull()
    reads[0]?.resolve(SHOP)
    await settle()
    const next = ask(wants('nonsense'))
    await settle()
    reads[1]?.resolve(SHOP)
    expect(await next).toMatch('not watched')
  })

  it('a query that never ends is given up after 15 s', async () => {
    const { reads, ask, askOf } = begin()
    const waiting = ask(wants('orders'))
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await waiting).toBeNull()
    expect(await askOf(wants('nonsense'), SHOP)).toMatch('not watched')
    expect(reads).toHaveLength(2)
  })

  it('lets through when the database refuses, and says so once', async () => {
    const { reads, ask } = begin()
    const asked = [ask(wants('nonsense')), ask(wants('orders'))]
    await settle()
    reads[0]?.reject(new Error('permission denied'))
    expect(await Promise.all(asked)).toEqual([null, null])
    expect(console.warn).toHaveBeenCalledOnce()
    expect(vi.mocked(console.warn).mock.calls[0]?.[0]).toContain('permission denied')
  })

  it('what it knew does not refuse what it could not ask about', async () => {
    const { reads, ask, askOf } = begin()
    await askOf(wants('orders'), SHOP)
    vi.advanceTimersByTime(5_000)
    const asked = ask(wants('invoices'))
    await settle()
    reads[1]?.reject(new Error('down'))
    expect(await asked).toBeNull()
    expect(await ask(wants('orders', 'status'))).toBeNull()
  })

  it('for a reader of rows it is as patient as the query, and passes its failure on', async () => {
    const { reads, catalog } = begin()
    const reading = catalog.tables((tables) => tables.has('orders'))
    await vi.advanceTimersByTimeAsync(10_000)
    reads[0]?.resolve(SHOP)
    expect((await reading).get('customers')?.name).toBe('customers')
    expect(await catalog.tables((tables) => tables.has('orders'))).toBe(SHOP)
    catalog.forget()
    const again = catalog.tables(() => true)
    await settle()
    reads[1]?.reject(new Error('down'))
    await expect(again).rejects.toThrow('down')
    // A failure is no reading: the next one need not wait.
    void catalog.tables(() => true)
    await settle()
    expect(reads).toHaveLength(3)
  })
})
