import { and, asc, desc, ilike, inArray, type SQL, sql } from 'drizzle-orm'
import { orders } from '../../drizzle/schema.ts'
import { type DatabaseEnv, database } from './database.ts'
import { type Cursor, formatCursor, readSort, sortColumns } from './keyset.ts'
import { escapeLike } from './like-text.ts'
import type { CursorSecrets } from './opaque.ts'
import type { ListQuery } from './order-schemas.ts'

type Order = typeof orders.$inferSelect

/** One page, and the cursor of the next; one row more than asked for tells whether there is one. */
export async function listOrders(
  env: DatabaseEnv & CursorSecrets,
  { status, customer, sort, limit }: ListQuery,
  cursor: Cursor | null,
): Promise<{ orders: Order[]; next_cursor: string | null }> {
  const { column, descending } = readSort(sort)
  const direction = descending ? desc : asc
  const rows = await database(env)
    .select()
    .from(orders)
    .where(
      and(
        status && inArray(orders.status, status),
        customer ? ilike(orders.customer_name, `%${escapeLike(customer)}%`) : undefined,
        cursor ? beyond(cursor) : undefined,
      ),
    )
    .orderBy(direction(orders[column]), ...(column === 'id' ? [] : [direction(orders.id)]))
    .limit(limit + 1)
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    orders: page,
    next_cursor: last ? await formatCursor(env, { sort, value: last[column], id: last.id }) : null,
  }
}

/** The rows after the cursor's, in the order of its sort. */
function beyond({ sort, value, id }: Cursor): SQL {
  const { column, descending } = readSort(sort)
  const after = sql.raw(descending ? '<' : '>')
  if (column === 'id') return sql`${orders.id} ${after} ${id}::bigint`
  const type = sql.raw(sortColumns[column].type)
  return sql`(${orders[column]}, ${orders.id}) ${after} (${value}::${type}, ${id}::bigint)`
}
