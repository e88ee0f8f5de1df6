import type { Context } from 'hono'
import { OPERATOR, PUBLIC, type Scope } from '../../protocol/scope.ts'
import type { Env } from '../env.ts'
import { bearsAdminToken } from './admin-token.ts'

/** Who reads the feed or the tables: with `ADMIN_TOKEN`, Belfry's own tables too. */
export async function readerScope(c: Context<{ Bindings: Env }>): Promise<Scope> {
  return (await bearsAdminToken(c)) ? OPERATOR : PUBLIC
}
