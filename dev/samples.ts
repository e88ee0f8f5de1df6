import pg from 'pg'
import { insertSampleNotifications } from './sample-notifications.ts'
import { insertSampleOrders, sampleDomain } from './sample-orders.ts'
import { insertSampleUsers } from './sample-users.ts'

/**
 * Something for a first look, in tables that have never held any: the sequence of the ids tells,
 * also after all were deleted. Users are made up only beside orders that are, so that a database
 * of real ones stays as it is.
 * @returns how many of each were inserted
 */
export async function insertSamples(databaseUrl: string): Promise<Record<Table, number>> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('LOCK TABLE orders, users, notifications IN SHARE ROW EXCLUSIVE MODE')
    const hasNew = {
      orders: await isUntouched(client, 'orders'),
      users: await isUntouched(client, 'users'),
      notifications: await isUntouched(client, 'notifications'),
    }
    const isOurs = hasNew.orders || (await hasSampleOrders(client))
    const wantsUsers = isOurs && hasNew.users
    const inserted = {
      users: wantsUsers ? await insertSampleUsers(client) : 0,
      orders: hasNew.orders ? await insertSampleOrders(client) : 0,
      notifications:
        wantsUsers && hasNew.notifications ? await insertSampleNotifications(client) : 0,
    }
    await client.query('COMMIT')
    return inserted
  } finally {
    await client.end()
  }
}

type Table = 'users' | 'orders' | 'notifications'

async function isUntouched(client: pg.Client, table: Table): Promise<boolean> {
  const { rows } = await client.query<{ untouched: boolean }>(
    `SELECT NOT is_called AND NOT EXISTS (SELECT FROM ${table}) AS untouched FROM ${table}_id_seq`,
  )
  return rows[0]?.untouched ?? false
}

async function hasSampleOrders(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM orders WHERE customer_email LIKE '%@' || $1 LIMIT 1`,
    [sampleDomain],
  )
  return rows.length > 0
}
