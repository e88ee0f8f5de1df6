import type { Context } from 'hono'
import { constraintOf } from './database-failure.ts'
import { problem } from './problem.ts'

/** How rules of any channel are refused. */

const MAX_ERRORS = 20

export type Refused = { path: string; message: string }

export function refuse(c: Context, errors: Refused[]) {
  const [first, ...others] = errors
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return problem(c, 'invalid_body', {
    detail: `${first?.path}: ${first?.message}${more}`,
    errors: errors.slice(0, MAX_ERRORS),
  })
}

/** @returns `taken` if another rule has the name */
export async function unlessTaken<Row>(writing: Promise<Row>): Promise<Row | 'taken'> {
  try {
    return await writing
  } catch (error) {
    if (constraintOf(error) === 'rules_name_unique') return 'taken'
    throw error
  }
}

export function nameIsTaken(c: Context, name: string) {
  return problem(c, 'conflict', {
    detail: `There is a rule called "${name}", of mail, of a webhook or of the inbox. Choose another name.`,
  })
}
