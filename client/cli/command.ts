import type { Terminal } from './terminal.ts'

export type Command = {
  name: string
  /** One sentence. */
  summary: string
  /** What may follow the name; one for each way of using it. */
  forms: readonly string[]
  /** What `belfry help <name>` says beyond that. */
  details?: string
  /**
   * @returns the exit status
   * @throws UsageError the arguments are wrong
   * @throws Failure it could not be done
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

export function usageLine({ name, forms }: Command): string {
  const words = [...new Set(forms.map((form) => form.split(' ')[0] ?? ''))]
  return `${name} ${forms.length === 1 ? forms[0] : words.join(' | ')}`.trimEnd()
}
