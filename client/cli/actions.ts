import { UsageError } from './failure.ts'
import { meant } from './nearest.ts'
import type { Terminal } from './terminal.ts'

/** One of the things that a command does, by the word after its name. */
export type Action = (args: readonly string[], terminal: Terminal) => Promise<number>
export type Actions = Readonly<Record<string, Action>>

/**
 * Does what the first word says.
 * @param command as it was typed, for the sentence if there is no such action
 * @throws UsageError
 */
export async function act(
  command: string,
  actions: Actions,
  [name, ...rest]: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const names = Object.keys(actions)
  if (name === undefined) throw new UsageError(`${command}: say what to do: ${names.join(', ')}.`)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (action) return action(rest, terminal)
  throw new UsageError(
    `${command}: there is no "${name}"${meant(name, names)}; there are ${names.join(', ')}.`,
  )
}
