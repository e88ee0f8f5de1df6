import type { Row, Value } from '../../protocol/change.ts'

/** A row's key as people write it: `42`; of several columns `north/17`. */
export function keyText(key: Row | null): string {
  return Object.values(key ?? {})
    .map(valueText)
    .join('/')
}

/** Nothing for null. */
export function valueText(value: Value): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
