import type { CapturedChange, Row, Value } from '../../protocol/change.ts'
import type { RuleCondition, Test, When } from './rule.ts'

/**
 * Whether a rule is about a change: a fact about the two alone.
 *
 * Must hold: values are compared by their text, because a number beyond a double travels as text
 * (P5); a column that the row does not have meets no test. A change whose images stayed behind
 * matches whatever it may match: `unknown` is not no.
 */
export type Match = 'yes' | 'no' | 'unknown'

export function matches(rule: RuleCondition, change: CapturedChange): Match {
  const { table, op, new: now, old, oversize } = change
  if (!rule.enabled || rule.table !== table || !rule.ops.includes(op)) return 'no'
  if (oversize) return mayHold(rule.when, op) ? 'unknown' : 'no'
  return holds(rule.when, now, old) ? 'yes' : 'no'
}

function holds(when: When, now: Row | null, old: Row | null): boolean {
  return Object.entries(when).every(([column, test]) => {
    const [is, was] = [columnOf(now, column), columnOf(old, column)]
    if ('became' in test) return isAny(test.became, is) && !isAny(test.became, was)
    if ('is' in test) return isAny(test.is, is)
    if ('was' in test) return isAny(test.was, was)
    return is !== undefined && was !== undefined && textOf(is) !== textOf(was)
  })
}

/** With images of which nothing is known but which there must be. */
function mayHold(when: When, op: CapturedChange['op']): boolean {
  const hasNew = op === 'insert' || op === 'update'
  const hasOld = op === 'update' || op === 'delete'
  return Object.values(when).every(
    (test) => (needsNew(test) ? hasNew : true) && (needsOld(test) ? hasOld : true),
  )
}

function needsNew(test: Test): boolean {
  return !('was' in test)
}

function needsOld(test: Test): boolean {
  return 'was' in test || 'changed' in test
}

/** A row is an object out of JSON: only what is its own is a column of it. */
function columnOf(row: Row | null, column: string): Value | undefined {
  return row !== null && Object.hasOwn(row, column) ? row[column] : undefined
}

function isAny(values: readonly Value[], value: Value | undefined): boolean {
  return value !== undefined && values.some((each) => textOf(each) === textOf(value))
}

/** Of null there is no text, so that it is not taken for the word. */
function textOf(value: Value): string | null {
  if (value === null) return null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
