import { NeonDbError } from '@neondatabase/serverless'
import { databaseAdvice, rootCause } from './database-failure.ts'

/**
 * Writes many things with few statements, of which a bad one holds back none of the others: what
 * the database refuses for its values is written again in halves, in order, down to the one.
 * @param write all of them or none
 * @param refused told of each one that cannot be written, and why
 * @throws what `write` throws that is not about the values of one of them
 */
export async function writeByHalves<Thing>(
  things: readonly Thing[],
  write: (things: readonly Thing[]) => Promise<void>,
  refused: (thing: Thing, why: string) => void,
): Promise<void> {
  if (things.length === 0) return
  try {
    await write(things)
  } catch (error) {
    const why = whyRefused(error)
    if (why === null) throw error
    const [only, ...others] = things
    if (only !== undefined && others.length === 0) return refused(only, why)
    const half = Math.ceil(things.length / 2)
    await writeByHalves(things.slice(0, half), write, refused)
    await writeByHalves(things.slice(half), write, refused)
  }
}

/** Decided by SQLSTATE. @returns null unless the values are refused, or a trigger refuses them */
export function whyRefused(error: unknown): string | null {
  const cause = rootCause(error)
  const sqlstate = cause instanceof NeonDbError ? (cause.code ?? '') : ''
  if (sqlstate.startsWith('P0'))
    return `A trigger of the database refuses it (SQLSTATE ${sqlstate}).`
  return /^(22|23|44)/.test(sqlstate) ? databaseAdvice(error) : null
}
