import { OPERATOR, type Scope } from '../../protocol/scope.ts'
import { isAdmin, type Principal, readableTables } from './principal.ts'

/** What a principal may hear of the feed, and read of the tables. */
export function readerScope(principal: Principal): Scope {
  if (isAdmin(principal)) return OPERATOR
  const tables = readableTables(principal)
  return { kind: 'tables', tables: tables === 'every' ? tables : [...tables].sort() }
}
