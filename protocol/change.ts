import { z } from 'zod'

/**
 * A column's value as it travels. A number that a double cannot hold exactly
 * (a large `bigint`, a long `numeric`) travels as a string, so that no reader
 * loses digits by parsing JSON.
 */
export type Value = null | boolean | number | string | Value[] | { [name: string]: Value }

/** A whole row: column name → value. */
export type Row = { [column: string]: Value }

// Only that it is an object: what came out of JSON.parse holds nothing but JSON, and looking at
// every value of a batch of 1,000 changes would cost more than storing it.
const row = z.custom<Row>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
)

export const operations = ['insert', 'update', 'delete', 'truncate'] as const
export type Operation = (typeof operations)[number]

/**
 * One row-level fact, as the listener sends it: it has no place in the feed yet.
 * `key` holds the primary key's columns, of the new row if there is one.
 */
export const capturedChange = z.object({
  id: z.uuid(),
  table: z.string().min(1).max(255),
  op: z.enum(operations),
  key: row.nullable(),
  new: row.nullable(),
  old: row.nullable(),
  /** When the statement wrote the row, ISO 8601 in UTC with microseconds. */
  at: z.string().min(20).max(40),
  /** The row was too large for the feed: its images stayed behind, its key did not. */
  oversize: z.literal(true).optional(),
})
export type CapturedChange = z.infer<typeof capturedChange>

/** A change with its place in the feed: gapless from 1 within an epoch. */
export const change = capturedChange.extend({ offset: z.int().positive() })
export type Change = z.infer<typeof change>
