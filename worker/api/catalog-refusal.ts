import { NOTHING } from '../../protocol/scope.ts'
import type { Subscription } from '../../protocol/subscription.ts'
import { visibleTables, type WatchedTables } from './watched-tables.ts'

const MAX_NAMES = 20
const MAX_NAME = 40

/**
 * Whether a subscription names something that can never be heard: a table that is not watched, a
 * column that its table does not have or, without `table`, no watched table has.
 * @returns the detail of the refusal, what matters first because a close reason is short; or null
 */
export function refusalOf(
  { table, where, scope }: Subscription,
  all: WatchedTables,
): string | null {
  const tables = visibleTables(all, scope ?? NOTHING)
  const watched = table === undefined ? undefined : tables.get(table)
  if (table !== undefined && watched === undefined)
    return tables.size === 0
      ? `table: "${short(table)}" is not watched; nothing is: SELECT belfry.watch('…') watches a table`
      : `table: "${short(table)}" is not watched; watched are ${list([...tables.keys()])}`

  const asked = watched ? [watched] : [...tables.values()]
  const has = (column: string) =>
    asked.some(({ columns }) => columns.some(({ name }) => name === column))
  const missing = Object.keys(where).find((column) => !has(column))
  if (missing === undefined) return null
  return watched
    ? `${short(missing)}: ${short(watched.name)} has no such column; it has ${list(watched.columns.map(({ name }) => name))}`
    : `${short(missing)}: no watched table has such a column; watched are ${list([...tables.keys()])}`
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map(short).join(', ')
  return names.length > MAX_NAMES ? `${shown}, …` : shown
}

function short(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name
}
