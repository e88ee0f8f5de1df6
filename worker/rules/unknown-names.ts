import type { WatchedTables } from '../api/watched-tables.ts'
import type { Recipient, When } from './rule.ts'

const MAX_NAMES = 20
const MAX_NAME = 40

/**
 * What a rule names and there is not, each with what there is. Asked when a rule is written: later
 * a table may be unwatched, and a column dropped, and the rule then meets no change.
 */
export function unknownNames(
  rule: {
    table: string
    when: When
    recipients?: readonly Recipient[]
    /** Columns that its texts are filled in from. */
    filledIn?: readonly string[]
  },
  tables: WatchedTables,
): { path: string; message: string }[] {
  const watched = tables.get(rule.table)
  if (!watched) {
    const names = tables.size === 0 ? 'nothing is' : `watched are ${list([...tables.keys()])}`
    const how = "SELECT belfry.watch('…') watches a table"
    return [{ path: 'table', message: `"${short(rule.table)}" is not watched; ${names}. ${how}` }]
  }
  const columns = watched.columns.map(({ name }) => name)
  const named = [
    ...Object.keys(rule.when).map((column) => ({ path: `when.${short(column)}`, column })),
    ...(rule.recipients ?? []).flatMap((each, index) => {
      const kind = 'column' in each ? 'column' : 'user' in each ? 'user' : null
      const column = 'column' in each ? each.column : 'user' in each ? each.user : ''
      return kind === null ? [] : [{ path: `recipients.${index}.${kind}`, column }]
    }),
    ...(rule.filledIn ?? []).map((column) => ({ path: 'notification', column })),
  ]
  return named
    .filter(({ column }) => !columns.includes(column))
    .map(({ path, column }) => ({
      path,
      message: `${short(watched.name)} has no column "${short(column)}"; it has ${list(columns)}`,
    }))
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map(short).join(', ')
  return names.length > MAX_NAMES ? `${shown}, …` : shown
}

function short(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name
}
