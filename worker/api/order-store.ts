import { eq, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { Context } from 'hono'
import { orders } from '../../drizzle/schema.ts'
import { database } from './database.ts'
import { constraintOf } from './database-failure.ts'
import { expected } from './entity-tag.ts'
import { writeAll, writeOnce } from './writing.ts'

/**
 * Orders in Postgres, which is authoritative on them. `unknown`: there is no such customer, and
 * nothing was written.
 */
export type Order = typeof orders.$inferSelect
type NewOrder = typeof orders.$inferInsert

/** @returns undefined if there is none */
export async function findOrder(db: NeonHttpDatabase, id: number): Promise<Order | undefined> {
  const [row] = await db.select().from(orders).where(eq(orders.id, id))
  return row
}

/** Once for each idempotency key. @returns null if it was created before and is gone */
export async function insertOrder(c: Context, values: NewOrder): Promise<Order | 'unknown' | null> {
  const writing = writeOnce(
    c,
    (db) => [db.insert(orders).values(values).returning()],
    ([rows]) => rows[0],
    ({ made }) => findOrder(database(c.env), Number(made)),
  )
  return (await unlessUnknown(writing)) ?? null
}

/** @returns undefined if there is none */
export async function changeOrder(
  c: Context,
  id: number,
  values: PgUpdateSetSource<typeof orders>,
): Promise<Order | 'unknown' | undefined> {
  const written = await unlessUnknown(
    writeAll(c, (db) => [
      db.execute(expected(c, versionOf(id))),
      db.update(orders).set(values).where(eq(orders.id, id)).returning(),
    ]),
  )
  return written === 'unknown' ? written : written[1][0]
}

/** @returns whether it was there */
export async function deleteOrder(c: Context, id: number): Promise<boolean> {
  const [, gone] = await writeAll(c, (db) => [
    db.execute(expected(c, versionOf(id))),
    db.delete(orders).where(eq(orders.id, id)).returning({ id: orders.id }),
  ])
  return gone.length > 0
}

/** Locks the row. */
function versionOf(id: number) {
  return sql`SELECT version::text FROM ${orders} WHERE ${orders.id} = ${id} FOR UPDATE`
}

async function unlessUnknown<Written>(writing: Promise<Written>): Promise<Written | 'unknown'> {
  try {
    return await writing
  } catch (error) {
    if (constraintOf(error) === 'orders_customer_id_users_id_fk') return 'unknown'
    throw error
  }
}
