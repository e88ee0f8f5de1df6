import type { z } from 'zod'
import { adminToken, workerAddress } from './address.ts'
import { type Call, call } from './api.ts'
import type { Terminal } from './terminal.ts'

/** One call of a route that is for those who run Belfry. */
export function askAdmin<T>(
  terminal: Terminal,
  path: string,
  schema: z.ZodType<T>,
  how: Omit<Call, 'token'> = {},
): Promise<T> {
  return call(workerAddress(terminal), path, schema, { ...how, token: adminToken(terminal) })
}
