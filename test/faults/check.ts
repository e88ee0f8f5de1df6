import type { Change } from '../../protocol/change.ts'
import type { Audience } from './audience.ts'
import { canonical } from './canonical.ts'
import { feedReaderCheck } from './check-readers.ts'
import { readLog } from './feed-log.ts'
import { compare, History } from './history.ts'
import { eachRow, readAudit } from './records.ts'
import type { System } from './system.ts'
import { TABLES } from './tables.ts'

/**
 * The checker. Authoritative is Postgres: the tables, and the audit that the test's own trigger
 * wrote. The log must tell the same history, folded it must give the same tables, each reader
 * must have been shown its part of the log once, and each collection must equal its table.
 * @returns how many changes the log holds
 */
export async function check(system: System, audience: Audience): Promise<number> {
  const { violations } = system
  const feed = new History()
  const folded = new Map(TABLES.map(({ name }) => [name, new Map<string, string>()]))
  const readers = feedReaderCheck(audience.readers, violations)
  const ids = new Map<string, number>()
  for await (const changes of readLog(system))
    for (const change of changes) {
      const { offset, id, table } = change
      if (offset !== feed.count + 1)
        violations.add('P1', `the log goes from offset ${feed.count} to ${offset}`)
      const first = ids.get(id)
      if (first !== undefined)
        violations.add('P20', `change ${id} (${table}) has two offsets, ${first} and ${offset}`)
      ids.set(id, offset)
      feed.add({ ...change, place: offset, oversize: change.oversize === true })
      fold(folded.get(table) ?? new Map(), change)
      readers.see(change)
    }
  readers.finish(feed.count)

  const audit = new History()
  for await (const told of readAudit(system.databaseUrl)) audit.add(told)
  if (audit.count !== feed.count)
    violations.add('P1', `${audit.count} changes were committed, the log holds ${feed.count}`)
  for (const { row, what, offset, seq } of compare(audit, feed))
    violations.add(
      'P1 P2',
      `${row}: ${what}; offset ${offset ?? 'none'}, audit seq ${seq ?? 'none'}`,
    )

  await checkTables(system, audience, folded)
  return feed.count
}

const UNSEEN = 'too large to travel'

function fold(rows: Map<string, string>, { op, key, old, new: now }: Change): void {
  if (op === 'truncate') return rows.clear()
  const name = canonical(key)
  // A change of key: the old image has the old one. (Keys of large rows are not changed here.)
  if (op === 'update' && old !== null && key !== null)
    rows.delete(canonical(pick(old, Object.keys(key))))
  if (op === 'delete') rows.delete(name)
  else rows.set(name, now === null ? UNSEEN : canonical(now))
}

async function checkTables(
  system: System,
  audience: Audience,
  folded: Map<string, Map<string, string>>,
): Promise<void> {
  const { violations } = system
  for (const { name: table, relation, key } of TABLES) {
    const rows = new Map<string, string>()
    for await (const row of eachRow(system.databaseUrl, relation))
      rows.set(canonical(pick(row, key)), canonical(row))
    const log = folded.get(table) ?? new Map<string, string>()
    for (const what of differ(rows, log))
      violations.add('P1', `${table}: its log, folded, is not the table: ${what}`)
    for (const { name, live } of audience.mirrors.filter((mirror) => mirror.table === table)) {
      const held = new Map<string, string>()
      for (const row of live.rows().values()) held.set(canonical(pick(row, key)), canonical(row))
      for (const what of differ(rows, held))
        violations.add('live()', `${name} is not the table: ${what}`)
    }
  }
}

function differ(table: Map<string, string>, other: Map<string, string>): string[] {
  const differences: string[] = []
  for (const [key, row] of table) {
    const its = other.get(key)
    if (its === undefined) differences.push(`${key} is missing`)
    else if (its !== row && its !== UNSEEN) differences.push(`${key}: ${columnsApart(row, its)}`)
  }
  for (const key of other.keys()) if (!table.has(key)) differences.push(`${key} is there too much`)
  return differences
}

function columnsApart(row: string, other: string): string {
  const others = new Map(JSON.parse(other) as [string, string | null][])
  return (JSON.parse(row) as [string, string | null][])
    .filter(([column, text]) => others.get(column) !== text)
    .map(([column, text]) => `${column} is ${text}, there ${others.get(column)}`)
    .join('; ')
}

function pick(row: object, columns: readonly string[]): object {
  return Object.fromEntries(Object.entries(row).filter(([column]) => columns.includes(column)))
}
