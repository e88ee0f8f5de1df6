import { parseArgs } from 'node:util'
import { UsageError } from './failure.ts'
import { meant } from './nearest.ts'

/** Flags of a command: those with a value, those that may come more than once, those without. */
export type Flags = { [name: string]: 'text' | 'texts' | 'switch' }

export type Given<F extends Flags> = {
  flags: {
    [N in keyof F]?: F[N] extends 'switch' ? true : F[N] extends 'texts' ? string[] : string
  }
  words: string[]
}

/**
 * Reads a command's arguments.
 * @param words what stands without a flag, by name; `[table]` may be left out, `the id…` repeated
 * @throws UsageError
 */
export function readArguments<F extends Flags>(
  args: readonly string[],
  flags: F,
  words: readonly string[] = [],
): Given<F> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, kind]) => [
      name,
      { type: kind === 'switch' ? 'boolean' : 'string', multiple: kind === 'texts' } as const,
    ]),
  )
  // Not strict: a value may begin with a dash (`--sort -created_at`), and the sentences are ours.
  const given = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const seen = new Set<string>()
  for (const token of given.tokens) {
    if (token.kind !== 'option') continue
    checkFlag(token.name, token.rawName, token.value, flags)
    if (flags[token.name] === 'text' && seen.has(token.name))
      throw new UsageError(`${token.rawName} was given twice; give it once.`)
    seen.add(token.name)
  }

  const needed = words.filter((word) => !word.startsWith('['))
  if (given.positionals.length < needed.length)
    throw new UsageError(`${needed[given.positionals.length]?.replace('…', '')} is missing.`)
  const extra = words.at(-1)?.endsWith('…') ? undefined : given.positionals[words.length]
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many.`)
  // Each token was checked against its kind.
  return { flags: given.values as Given<F>['flags'], words: given.positionals }
}

export function wantsHelp(args: readonly string[]): boolean {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  return own.includes('--help') || own.includes('-h')
}

/** @throws UsageError unless `text` is a whole number from 0 */
export function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UsageError(`${name} takes a whole number from 0, not "${text}".`)
}

function checkFlag(name: string, raw: string, value: string | undefined, flags: Flags) {
  const kind = Object.hasOwn(flags, name) ? flags[name] : undefined
  if (kind === undefined)
    throw new UsageError(`there is no flag "${raw}"${meant(name, Object.keys(flags), '--')}.`)
  if (kind === 'switch' && value !== undefined) throw new UsageError(`${raw} takes no value.`)
  if (kind !== 'switch' && (value === undefined || value.startsWith('--')))
    throw new UsageError(`${raw} needs a value.`)
}
