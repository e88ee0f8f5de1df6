/** What a measure found: a table, the raw numbers, and how it stands to what is to be reached. */
export type Section = {
  name: string
  title: string
  columns: string[]
  rows: { title: string; cells: string[] }[]
  /** Raw numbers of every round, for the JSON. */
  data: { [key: string]: unknown }
  /** How far apart the rounds lie, as a share: the noise of this machine. */
  spread: number | null
  /** The share of the machine that other programs took meanwhile; null where it is not known. */
  foreignLoad?: number | null
  targets: Target[]
  notes?: string[]
  chart?: Chart
}

export type Target = { name: string; ratio: number } & ({ atLeast: number } | { atMost: number })

export type Chart = {
  title: string
  /** Under which load. */
  load: string
  better: 'more' | 'less'
  bars: { title: string; value: number; ours: boolean }[]
}

export function isReached(target: Target): boolean {
  return 'atLeast' in target ? target.ratio >= target.atLeast : target.ratio <= target.atMost
}
