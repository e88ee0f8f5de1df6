import { createHash } from 'node:crypto'
import type { Operation } from '../../protocol/change.ts'
import { canonical } from './canonical.ts'

/** One change, wherever it was read. `place` is the feed's offset, or the audit's sequence. */
export type Told = {
  place: number
  table: string
  op: Operation
  key: object | null
  old: object | null
  new: object | null
  oversize: boolean
}

/**
 * What happened to each row, in order, kept small: a digest for each change. The feed's history
 * and the audit's are read into one of these each, and compared.
 */
export class History {
  readonly rows = new Map<string, { place: number; digest: string }[]>()
  readonly #truncates = new Map<string, number>()
  count = 0

  /** Call it in the order of places. */
  add({ place, table, op, key, old, new: now, oversize }: Told): void {
    this.count++
    const truncates = this.#truncates.get(table) ?? 0
    if (op === 'truncate') this.#truncates.set(table, truncates + 1)
    const row = op === 'truncate' ? `${table}, all rows` : `${table} ${canonical(key)}`
    // A row's changes stand before or after each truncation of its table: its number says where.
    const what = [op, truncates, oversize, canonical(old), canonical(now)].join('\n')
    const digest = `${op} ${createHash('md5').update(what).digest('base64url')}`
    const changes = this.rows.get(row)
    if (changes) changes.push({ place, digest })
    else this.rows.set(row, [{ place, digest }])
  }
}

/** Where a row's history in the feed departs from the audit's. */
export type Difference = { row: string; what: string; offset: number | null; seq: number | null }

export function compare(audit: History, feed: History): Difference[] {
  const differences: Difference[] = []
  for (const row of new Set([...audit.rows.keys(), ...feed.rows.keys()])) {
    const committed = audit.rows.get(row) ?? []
    const told = feed.rows.get(row) ?? []
    const at = committed.findIndex(({ digest }, n) => told[n]?.digest !== digest)
    const n = at < 0 ? committed.length : at
    if (n === committed.length && n === told.length) continue
    differences.push({
      row,
      what: explain(committed, told, n),
      offset: told[n]?.place ?? null,
      seq: committed[n]?.place ?? null,
    })
  }
  return differences
}

type Mark = { place: number; digest: string }

function explain(committed: readonly Mark[], told: readonly Mark[], n: number): string {
  const counts = `${committed.length} were committed, ${told.length} are in the feed`
  const [wanted, got] = [committed[n]?.digest, told[n]?.digest]
  if (wanted === undefined) return `change ${n + 1} was never committed (${counts})`
  if (got === undefined) return `change ${n + 1} (${wanted}) is missing (${counts})`
  if (told.slice(0, n).some(({ digest }) => digest === got))
    return `change ${n + 1} is there twice, or out of order (${counts})`
  if (committed.slice(n + 1).some(({ digest }) => digest === got))
    return `change ${n + 1} (${wanted}) is missing, or comes later (${counts})`
  return `change ${n + 1}: ${wanted} was committed, the feed has ${got} (${counts})`
}
