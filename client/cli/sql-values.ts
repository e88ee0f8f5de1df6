import { types } from 'pg'
import type { Value } from '../../protocol/change.ts'

const {
  BOOL,
  INT2,
  INT4,
  INT8,
  OID,
  FLOAT4,
  FLOAT8,
  NUMERIC,
  JSON: JSON_TEXT,
  JSONB,
} = types.builtins
const numbers: ReadonlySet<number> = new Set([INT2, INT4, INT8, OID, FLOAT4, FLOAT8, NUMERIC])

export function isNumber(type: number): boolean {
  return numbers.has(type)
}

/**
 * A value as Postgres printed it, for JSON. As in the feed, a number that a
 * double cannot hold exactly stays text. Times, arrays and the rest are text.
 */
export function exactValue(text: string | null, type: number): Value {
  if (text === null) return null
  if (type === BOOL) return text === 't'
  if (type === JSON_TEXT || type === JSONB) return JSON.parse(text, exactly)
  if (type === FLOAT4 || type === FLOAT8) return Number.isFinite(Number(text)) ? Number(text) : text
  return isNumber(type) ? exactNumber(text) : text
}

/** The digits survive the double if printing it gives them back, trailing zeros aside. */
function exactNumber(text: string): number | string {
  const number = Number(text)
  const digits = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return Number.isFinite(number) && String(number) === digits ? number : text
}

function exactly(_key: string, value: Value, context?: { source?: string }): Value {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return /e/i.test(context.source) ? value : exactNumber(context.source)
}
