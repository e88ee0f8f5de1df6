import type { Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { databaseAdvice } from '../api/database-failure.ts'

/**
 * All rows of a small table, as a change carries them.
 * @throws what a person can do about it
 */
export async function loadRows(
  env: DatabaseEnv,
  table: 'rules' | 'webhook_endpoints',
): Promise<Row[]> {
  try {
    const rows = await askOnce<{ row: string }>(
      env,
      `SELECT to_json(t)::text AS row FROM "${table}" t`,
    )
    return rows.map(({ row }) => JSON.parse(quoteInexactNumbers(row)))
  } catch (error) {
    throw new Error(`The table ${table} could not be read, so this waits. ${databaseAdvice(error)}`)
  }
}
