import type { When } from '../rules/rule.ts'
import { unknownNames } from '../rules/unknown-names.ts'
import { isLocalRun, readAddress } from '../webhooks/address.ts'
import { lookUp } from '../webhooks/name-lookup.ts'
import { type DatabaseEnv, database } from './database.ts'
import { readWatchedTables } from './watched-tables.ts'

/** What is wrong with an endpoint that reads as one, field by field. */
export type Fault = { path: string; message: string }

/**
 * A resolver that does not answer refuses nobody: the name is looked up again before anything is
 * sent there, and nothing is sent before it is known.
 */
export async function addressFault(publicUrl: string | undefined, text: string): Promise<Fault[]> {
  const local = isLocalRun(publicUrl)
  const address = readAddress(text, { local })
  if (!address.ok) return [{ path: 'url', message: address.why }]
  if (local) return []
  const { hostname } = address.url
  const found = await lookUp(hostname)
  if (found.kind === 'private')
    return [
      {
        path: 'url',
        message: `must not lead into a private network, as ${hostname} does (${found.address})`,
      },
    ]
  if (found.kind === 'nowhere')
    return [{ path: 'url', message: `must name a host; no address is known of ${hostname}` }]
  return []
}

/** A table that is not watched, or a column that it does not have, would never be heard of. */
export async function ruleFaults(
  env: DatabaseEnv,
  rules: readonly { table: string; when: When }[],
): Promise<Fault[]> {
  if (rules.length === 0) return []
  const tables = await readWatchedTables(database(env))
  return rules.flatMap((rule, index) =>
    unknownNames(rule, tables).map(({ path, message }) => ({
      path: `rules.${index}.${path}`,
      message,
    })),
  )
}
