import { wholeNumber } from './arguments.ts'
import { UsageError } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** How much of a list is asked for. */
export const pageFlags = { limit: 'text', all: 'switch' } as const

export type Page<T> = { found: readonly T[]; next: string | null }

type Listing<T> = {
  flags: { limit?: string; all?: true }
  /** What a page holds at most. */
  most: number
  /** What is undefined is not asked for. */
  filter: Readonly<Record<string, string | undefined>>
  read(query: URLSearchParams): Promise<Page<T>>
  show(found: readonly T[]): void
}

/**
 * Shows one page of a list, or with `--all` every one, and says if there are more.
 * @throws UsageError
 */
export async function listPages<T>(
  { flags: { limit, all }, most, filter, read, show }: Listing<T>,
  terminal: Terminal,
): Promise<void> {
  if (all && limit !== undefined) throw new UsageError('--all has no --limit: give one of them.')
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filter))
    if (value !== undefined) query.set(name, value)
  if (limit !== undefined) query.set('limit', String(wholeNumber('--limit', limit)))
  if (all) query.set('limit', String(most))
  const list: T[] = []
  let cursor: string | null = null
  do {
    if (cursor !== null) query.set('cursor', cursor)
    const { found, next }: Page<T> = await read(query)
    list.push(...found)
    cursor = next
  } while (all && cursor !== null)
  show(list)
  if (cursor !== null)
    terminal.err(`There are more: --all lists them, --limit takes up to ${most}.\n`)
}
