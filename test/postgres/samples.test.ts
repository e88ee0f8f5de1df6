import { expect, test } from 'vitest'
import { insertSamples } from '../../dev/samples.ts'
import { createDatabase, newestServer, once } from '../support/database.ts'

const nothing = { users: 0, orders: 0, notifications: 0 }

test('a first look finds users with orders of theirs, and something in their inboxes', async () => {
  const { url } = await createDatabase(newestServer)
  const inserted = await insertSamples(url)
  expect(inserted).toEqual({ users: 6, orders: 24, notifications: expect.any(Number) })
  const linked = await once(
    url,
    `SELECT customer_id::int, customer_name FROM orders JOIN users ON users.id = customer_id
      WHERE customer_name = users.name ORDER BY 1`,
  )
  expect(linked).toHaveLength(6)
  const inboxes = await once<{ user_id: string; unread: number }>(
    url,
    'SELECT user_id, count(*) FILTER (WHERE NOT read)::int AS unread FROM belfry.inbox GROUP BY 1',
  )
  expect(inboxes).toHaveLength(6)
  for (const { unread } of inboxes) expect(unread).toBeGreaterThan(0)
  const states = await once<{ state: string }>(url, 'SELECT DISTINCT state FROM notifications')
  expect(states.map(({ state }) => state).toSorted()).toEqual(['delivered', 'scheduled'])

  await once(url, 'DELETE FROM orders')
  await once(url, 'DELETE FROM users')
  expect(await insertSamples(url)).toEqual(nothing)
})

test('sample orders of an earlier version become the sample users’', async () => {
  const { url } = await createDatabase(newestServer)
  await once(
    url,
    `INSERT INTO orders (customer_name, customer_email, product_name, amount) VALUES
       ('Ada Lovelace', 'ada.lovelace@belfry.example', 'Gears', 1),
       ('Ada Lovelace', 'ada@elsewhere.example', 'Gears', 1)`,
  )
  expect(await insertSamples(url)).toMatchObject({ users: 6, orders: 0 })
  const theirs = await once(
    url,
    'SELECT name FROM orders LEFT JOIN users ON users.id = customer_id ORDER BY orders.id',
  )
  expect(theirs).toEqual([{ name: 'Ada Lovelace' }, { name: null }])
})

test('a database of real orders stays as it is', async () => {
  const { url } = await createDatabase(newestServer)
  await once(
    url,
    "INSERT INTO orders (customer_name, customer_email, product_name, amount) VALUES ('Ada', 'ada@shop.test', 'Gears', 1)",
  )
  expect(await insertSamples(url)).toEqual(nothing)
  expect(await once(url, 'SELECT FROM users')).toEqual([])
})
