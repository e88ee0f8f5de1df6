import { describe, expect, test } from 'vitest'
import { session } from '../support/database.ts'
import { expectWhole, ORDER, sharedFeed } from '../support/way.ts'

describe('the way of a change', () => {
  const { begin } = sharedFeed()

  test('P1 a change reaches the feed once, as it was written', async () => {
    const { sql, listen, feedHas, outboxHas, feed } = await begin()
    const listener = await listen()
    await listener.said(/leading with term 1/)
    await listener.said(/linked to the feed: epoch \w+, head 0/)
    await sql.query(ORDER)
    await sql.query("UPDATE orders SET status = 'FILLED'")
    const changes = await feedHas(2)
    expectWhole(changes)
    expect(changes.map(({ op, new: row }) => [op, row?.status, row?.version])).toEqual([
      ['insert', 'pending', 1],
      ['update', 'filled', 2],
    ])
    await outboxHas(0)
    expect(await feed.head()).toBe(2)
    expect(await listener.health()).toMatchObject({
      status: 200,
      body: { ok: true, role: 'leader', term: 1, linked: true },
    })
  })

  test('P1 what was written while nobody listened arrives when somebody does', async () => {
    const { sql, listen, feedHas } = await begin()
    await sql.query(ORDER)
    await sql.query('DELETE FROM orders')
    await listen()
    expectWhole(await feedHas(2))
  })

  test('P12 once asleep it is woken by a ring, and its sweeps find nothing', async () => {
    const { sql, listen, feedHas } = await begin()
    const listener = await listen()
    for (let n = 1; n <= 5; n++) {
      await listener.reaches('belfry_asleep', 1)
      await sql.query(ORDER)
      await feedHas(n, 2_000)
    }
    expect(await listener.metric('belfry_rings_total')).toBe(5)
    expect(await listener.metric('belfry_sweep_found_total')).toBe(0)
    expect(await listener.metric('belfry_changes_total')).toBe(5)
  })

  test('P12 through bursts and pauses of many writers nothing is lost', async () => {
    const { database, sql, listen, feedHas } = await begin()
    const listener = await listen()
    await sql.query(`INSERT INTO orders (customer_name, product_name, amount)
                     SELECT 'Ada', 'Bell', 0 FROM generate_series(1, 8)`)
    const { rows } = await sql.query<{ id: string }>('SELECT id FROM orders')
    let written = 8
    for (let round = 0; round < 3; round++) {
      await listener.reaches('belfry_asleep', 1)
      await Promise.all(
        rows.map(async ({ id }) => {
          const writer = await session(database.url)
          for (let n = 0; n < 100; n++, written++)
            await writer.query('UPDATE orders SET amount = amount + 1 WHERE id = $1', [id])
        }),
      )
    }
    expectWhole(await feedHas(written))
    expect(await listener.metric('belfry_sweep_found_total')).toBe(0)
  })

  test('P1 P2 P10 killed again and again amid writers, it leaves no gap and no double', async () => {
    const { database, sql, listen, feedHas, feed } = await begin()
    await sql.query(`INSERT INTO orders (customer_name, product_name, amount)
                     SELECT 'Ada', 'Bell', 0 FROM generate_series(1, 3)`)
    const { rows } = await sql.query<{ id: string }>('SELECT id FROM orders')
    let writing = true
    let written = 3
    const writers = rows.map(async ({ id }) => {
      const writer = await session(database.url)
      for (let n = 0; writing; n++) {
        await writer.query(`BEGIN; UPDATE orders SET amount = amount + 1 WHERE id = ${id}`)
        await writer.query(`UPDATE orders SET amount = amount + 1 WHERE id = ${id}`)
        const commits = n % 5 !== 0
        await writer.query(commits ? 'COMMIT' : 'ROLLBACK')
        if (commits) written += 2
      }
    })
    for (let life = 0; life < 3; life++) {
      const head = await feed.head()
      const listener = await listen()
      await expect.poll(() => feed.head(), { timeout: 20_000, interval: 10 }).toBeGreaterThan(head)
      await listener.kill()
    }
    writing = false
    await Promise.all(writers)
    await listen()
    expectWhole(await feedHas(written))
  })

  test('P6 rows at and beyond the feed’s limits arrive, with what came before and after', async () => {
    const { sql, listen, feedHas } = await begin()
    await sql.query(
      `CREATE TABLE texts (id int PRIMARY KEY, body text); SELECT belfry.watch('texts')`,
    )
    await sql.query(`INSERT INTO texts SELECT n, repeat('x', size)
      FROM unnest('{1,1899000,1899900,1900000,3000000,1,900000,900000,900000,1}'::int[]) WITH ORDINALITY AS t (size, n)`)
    await listen()
    const changes = await feedHas(10)
    expect(changes.map(({ key }) => key?.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(changes.map(({ new: row }) => String(row?.body ?? '').length)).toEqual([
      ...[1, 1_899_000, 0, 0, 0, 1, 900_000, 900_000, 900_000, 1],
    ])
  })
})
