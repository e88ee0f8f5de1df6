import { sql } from 'drizzle-orm'
import { check, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/**
 * Whose credentials are not good any more: of an API key all, of a user or of a token's `sub` those
 * that were issued before `since`. Watched, so that open sockets hear of it at once.
 */
export const revocations = pgTable(
  'revocations',
  {
    /** `key:7`, `user:42` or `token:<sub>`: see worker/doors/principal.ts. */
    principal: text().primaryKey(),
    since: instant().notNull().default(sql`clock_timestamp()`),
    reason: text(),
  },
  (table) => [
    check(
      'revocations_principal_is_one',
      sql`${table.principal} ~ '^(key|user|token):.' and length(${table.principal}) <= 300`,
    ),
    check('revocations_reason_short', sql`length(${table.reason}) <= 200`),
  ],
)
