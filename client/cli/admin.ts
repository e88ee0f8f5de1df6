import type { z } from 'zod'
import { workerAddress } from './address.ts'
import { type Answer, ask, type Call } from './api.ts'
import { adminCredential, credentialFor, type Needs } from './credential.ts'
import type { Terminal } from './terminal.ts'

/** As a command says how it asks; who asks is added here. */
export type How = Omit<Call, 'as' | 'needs'>

/** One call of a route that takes a scope. */
export async function askFor<T>(
  needs: Needs,
  terminal: Terminal,
  path: string,
  schema: z.ZodType<T>,
  how: How = {},
): Promise<T> {
  return (await answerFor(needs, terminal, path, schema, how)).value
}

/** The same with the tag of what was answered. */
export function answerFor<T>(
  needs: Needs,
  terminal: Terminal,
  path: string,
  schema: z.ZodType<T>,
  how: How = {},
): Promise<Answer<T>> {
  const as = needs === 'admin' ? adminCredential(terminal) : credentialFor(needs, terminal)
  return ask(workerAddress(terminal), path, schema, { ...how, as, needs })
}

/** One call of a route that is for those who run Belfry. */
export function askAdmin<T>(
  terminal: Terminal,
  path: string,
  schema: z.ZodType<T>,
  how: How = {},
): Promise<T> {
  return askFor('admin', terminal, path, schema, how)
}
