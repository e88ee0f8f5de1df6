import type { CapturedChange, Row } from '../../protocol/change.ts'
import { matches } from '../rules/condition.ts'
import { keyText, valueText } from '../rules/key-text.ts'
import type { InboxRule } from '../rules/rule.ts'
import { type Filled, fillIn } from './fill-in.ts'

/**
 * Which notifications a change owes under the rules in force: a fact about the two. `origin` is the
 * same each time, so that the database takes it once (P86).
 *
 * Must hold: a rule that cannot be decided or filled in, and a value that is no user's id, are named
 * in `failures`, and keep no other notification back.
 */
export type NoticesOwed = { owed: Notice[]; failures: string[] }

export type Notice = Filled & {
  origin: string
  /** A bigint above zero. */
  user: string
  category: string
  /** Whose it is, for people: `Rule "order-shipped" (2) and orders 42`. */
  about: string
}

export function owedNotices(change: CapturedChange, rules: readonly InboxRule[]): NoticesOwed {
  const found: NoticesOwed = { owed: [], failures: [] }
  for (const rule of rules) {
    const match = matches(rule, change)
    if (match === 'no') continue
    const about = `Rule "${rule.name}" (${rule.id}) and ${change.table} ${keyText(change.key)}`
    const attempt = (work: () => void) => {
      try {
        work()
      } catch (error) {
        found.failures.push(`${about}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    attempt(() => {
      if (match === 'unknown') throw new Error(UNKNOWN)
      const row = change.new ?? change.old
      // Of a TRUNCATE there is no row, and so nobody in it.
      if (row === null) return
      const users = new Set<string>()
      for (const { user: column } of rule.recipients)
        attempt(() => {
          const user = userIn(row, column)
          if (user !== null) users.add(user)
        })
      if (users.size === 0) return
      const told = fillIn(rule, row)
      for (const user of users) {
        const origin = originOf(rule.id, change, user)
        found.owed.push({ ...told, origin, user, category: rule.category, about })
      }
    })
  }
  return found
}

/** The longest that the database takes. */
const ORIGIN_MAX = 200

/** What it came of: the rule, the change and whose it is; then of which version of which row. */
function originOf(rule: number, change: CapturedChange, user: string): string {
  const origin = `rule:${rule}/${change.id}/${user}`
  const version = valueText((change.new ?? change.old)?.version ?? null)
  const about = `${origin}/${change.table}/${keyText(change.key)}/${version}`
  return about.length > ORIGIN_MAX || about.includes('\0') ? origin : about
}

const UNKNOWN =
  'the row was too large to travel, so it is not known whether a notification is owed. Look at the row, and write one by hand if it is.'

function userIn(row: Row, column: string): string | null {
  if (!Object.hasOwn(row, column))
    throw new Error(`there is no column "${column}" to take a user from.`)
  const text = valueText(row[column] ?? null).trim()
  if (text === '') return null
  if (!/^[1-9]\d{0,18}$/.test(text) || BigInt(text) >= 2n ** 63n)
    throw new Error(`"${text.slice(0, 40)}" in ${column} is no user's id.`)
  return text
}
