import { z } from 'zod'
import { valueText } from './change-line.ts'
import { printable } from './text-width.ts'

/** Of each column that changed: before and after; empty where values are not kept. */
export const changedColumns = z.record(z.string(), z.unknown())
type Changed = z.infer<typeof changedColumns>

/** `status pending → filled · amount 5 → 7 · hash (not kept)` */
export function changedText(changed: Changed): string {
  return Object.entries(changed)
    .map(([name, values]) => `${printable(name)} ${fromTo(values)}`)
    .join(' · ')
}

/** `key:7 (the warehouse)` */
export function whoText(principal: string, name: string | null): string {
  return name === null ? principal : `${principal} (${name})`
}

function fromTo(values: unknown): string {
  // An act notes what it likes.
  if (!Array.isArray(values)) return valueText(values as string)
  if (values.length === 0) return '(not kept)'
  const [before, after] = values
  return before === null || before === undefined
    ? valueText(after)
    : `${valueText(before)} → ${valueText(after)}`
}
