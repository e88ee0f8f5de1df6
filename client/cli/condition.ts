import type { z } from 'zod'
import { answerFor, askFor } from './admin.ts'
import { wholeNumber } from './arguments.ts'
import type { Needs } from './credential.ts'
import { UsageError } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Which version an update changes: the one read just now, unless a person names another. */
export const conditionFlags = { 'if-version': 'text', force: 'switch' } as const

type Condition = { 'if-version'?: string; force?: true }

type Update = {
  /** What reading it takes, and what changing it takes. */
  needs: { read: Needs; change: Needs }
  path: string
  body: object
  condition?: Condition
  /** A command that shows what it is now. */
  look: string
}

/**
 * Changes a resource, which must be what it was when it was read.
 * @throws UsageError, Failure
 */
export async function update<T>(
  { needs, path, body, condition = {}, look }: Update,
  schema: z.ZodType<T>,
  terminal: Terminal,
): Promise<T> {
  const named = namedTag(condition)
  const tag = named ?? (await readTag(needs.read, path, schema, terminal))
  return askFor(needs.change, terminal, path, schema, {
    method: 'PATCH',
    body,
    headers: { 'if-match': tag },
    hints: { 412: `\`${look}\` shows what it is now; --force changes it whatever it is.` },
  })
}

/** For a delete, which takes whatever is there unless a person says which. */
export function deleteHeaders(version: string | undefined): Record<string, string> {
  return version === undefined ? {} : { 'if-match': tagOf(version) }
}

async function readTag<T>(
  needs: Needs,
  path: string,
  schema: z.ZodType<T>,
  terminal: Terminal,
): Promise<string> {
  const instead = 'Or say which version you change: --if-version N, or --force.'
  const { etag } = await answerFor(needs, terminal, path, schema, { hints: { 403: instead } })
  // A worker that names no version compares none.
  return etag ?? '*'
}

function namedTag({ 'if-version': version, force }: Condition): string | null {
  if (version !== undefined && force)
    throw new UsageError('--if-version changes one version, and --force any: give one of them.')
  if (force) return '*'
  return version === undefined ? null : tagOf(version)
}

function tagOf(version: string): string {
  return `"${wholeNumber('--if-version', version)}"`
}
