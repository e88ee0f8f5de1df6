import { CANARY_TABLE } from '../../protocol/canary.ts'
import type { OwedChange } from '../../protocol/outbox.ts'
import type { OutboxRow } from './postgres.ts'

/** As whoever reads it puts it together. */
export function owed(
  { id, change, table, op, key, new: now, old, at }: OutboxRow,
  ms: number,
): OwedChange {
  const time = '2027-01-15T08:00:00.000000+00:00'
  const beat = table === CANARY_TABLE ? now?.value : undefined
  const row = beat === undefined ? now : { beat }
  const text = JSON.stringify({ id: change, table, op, key: { id: key }, new: row, old, at: time })
  const read = { id: String(id), text, ageMs: ms - at, oversize: false }
  return beat === undefined ? read : { ...read, beat }
}
