/**
 * Sequences of faults that have once found something, kept by name. The short form plays each
 * before its own plan (a few seconds each); `--seed` takes the name too.
 */
export type Known = {
  name: string
  seed: number
  faults: readonly string[]
  /** What it found, and what was done. */
  found: string
}

export const known: readonly Known[] = []
