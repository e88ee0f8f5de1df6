import { describe, expect, test } from 'vitest'
import { servers, session } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

type Order = { id: string; status: string; version: number; updated_at: Date; created_at: Date }

describe.each(servers)('orders on $name', (server) => {
  const db = WatchedDatabase.on(server)

  async function order(status = 'pending'): Promise<Order> {
    const [made] = await db.run<Order>(
      "INSERT INTO orders (customer_name, product_name, amount, status) VALUES ('Ada', 'Bell', 1, $1) RETURNING *",
      [status],
    )
    return made as Order
  }

  const update = async (id: string, set: string) =>
    (await db.run<Order>(`UPDATE orders SET ${set} WHERE id = $1 RETURNING *`, [id]))[0] as Order

  test('a status in any case is stored lower-case', async () => {
    const { id, status } = await order('FiLLeD')
    expect(status).toBe('filled')
    expect((await update(id, "status = 'SHIPPED'")).status).toBe('shipped')
    await expect(update(id, "status = 'lost'")).rejects.toThrow(/orders_status_known/)
  })

  test('version grows by one with each update, whoever writes and whatever they say', async () => {
    const { id, version } = await order()
    expect(version).toBe(1)
    expect((await update(id, 'amount = 2')).version).toBe(2)
    expect((await update(id, 'amount = 3, version = 77')).version).toBe(3)
    expect((await update(id, 'amount = 4, version = version - 1')).version).toBe(4)
    const other = await session(db.address.url)
    await other.query(
      `INSERT INTO orders (id, customer_name, product_name, amount) VALUES ($1, 'Ada', 'Bell', 5)
                       ON CONFLICT (id) DO UPDATE SET amount = excluded.amount`,
      [id],
    )
    expect((await update(id, 'amount = 6')).version).toBe(6)
  })

  test('P3 an update that changes nothing leaves version and updated_at, and is no change', async () => {
    const { id, updated_at } = await order('filled')
    await db.changes()
    const same = await update(
      id,
      "status = 'FILLED', amount = 1.000, version = 9, updated_at = now()",
    )
    expect(same).toMatchObject({ version: 1, updated_at })
    expect(await db.changes()).toEqual([])
  })

  test('updated_at moves with each update, created_at does not', async () => {
    const { id, created_at, updated_at } = await order()
    expect(updated_at).toEqual(created_at)
    const later = await update(id, "amount = 2, updated_at = '2001-01-01'")
    expect(later.created_at).toEqual(created_at)
    expect(later.updated_at.getTime()).toBeGreaterThanOrEqual(updated_at.getTime())
    expect(later.updated_at.getFullYear()).toBeGreaterThan(2001)
  })

  test('P2 versions of one order are counted through in the feed', async () => {
    const { id } = await order()
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const writer = await session(db.address.url)
        for (let n = 0; n < 10; n++)
          await writer.query('UPDATE orders SET amount = amount + 1 WHERE id = $1', [id])
      }),
    )
    const versions = (await db.changes()).map((change) => change.new?.version)
    expect(versions).toEqual(Array.from({ length: 41 }, (_, index) => index + 1))
  })

  test('P4 an order in a change reads as the API gives it', async () => {
    const { id } = await order('FILLED')
    expect((await db.changes())[0]?.new).toEqual({
      id: Number(id),
      customer_name: 'Ada',
      product_name: 'Bell',
      status: 'filled',
      amount: 1,
      customer_email: null,
      customer_id: null,
      version: 1,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
    })
  })

  test.each([
    ['a negative amount', 'amount = -1', 'orders_amount_not_negative'],
    ['a blank customer', "customer_name = '  '", 'orders_customer_name_not_blank'],
    ['a blank product', "product_name = ''", 'orders_product_name_not_blank'],
  ])('%s is refused', async (_, set, constraint) => {
    const { id } = await order()
    await expect(update(id, set)).rejects.toMatchObject({ constraint })
  })
})
