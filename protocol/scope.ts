import { z } from 'zod'
import type { CapturedChange, Row } from './change.ts'
import { ownTables } from './own-tables.ts'

/**
 * What a reader may hear at all, whatever it asks for.
 *
 * The worker is authoritative: it finds out who asks, and says so to the shard in a header of a
 * request that it makes itself. Nothing that a client sends becomes a part of that request but its
 * query. Must hold: whoever has no scope, or one that cannot be read, hears nothing; and no scope
 * but the operator's holds a table of Belfry's own.
 */
const shape = z.discriminatedUnion('kind', [
  /** Who may read some tables, or every one; never Belfry's own. */
  z.strictObject({
    kind: z.literal('tables'),
    tables: z.union([z.literal('every'), z.array(z.string().min(1)).readonly()]),
  }),
  /** Who runs it: everything. */
  z.strictObject({ kind: z.literal('operator') }),
  /** Whose `column` is `value`, as text: their rows of one table, and of no change more than those. */
  z.strictObject({
    kind: z.literal('own'),
    table: z.string().min(1),
    column: z.string().min(1),
    value: z.string().min(1),
  }),
])
export type Scope = z.infer<typeof shape>
export type OwnScope = Extract<Scope, { kind: 'own' }>

export const EVERY_TABLE: Scope = { kind: 'tables', tables: 'every' }
export const NOTHING: Scope = { kind: 'tables', tables: [] }
export const OPERATOR: Scope = { kind: 'operator' }

/** How the worker says it to a shard. */
export const SCOPE_HEADER = 'belfry-scope'

export function parseScope(text: string | null): Scope {
  try {
    return shape.parse(JSON.parse(text ?? ''))
  } catch {
    return NOTHING
  }
}

/** @returns the change as it is to be seen from there; null if it is not */
export function withinScope<C extends CapturedChange>(scope: Scope, change: C): C | null {
  if (!isTableWithin(scope, change.table)) return null
  return scope.kind === 'own' ? toOwner(scope, change) : change
}

/** @returns whether anything of that table is heard there */
export function isTableWithin(scope: Scope, table: string): boolean {
  switch (scope.kind) {
    case 'operator':
      return true
    case 'tables':
      return !ownTables.has(table) && (scope.tables === 'every' || scope.tables.includes(table))
    case 'own':
      return table === scope.table
  }
}

/**
 * A row that becomes theirs arrives as an insert, one that ceases to be as a delete. What carries
 * no image is told, for it may be theirs: by a truncation they lose all, and of a row too large to
 * carry there is only the key.
 */
function toOwner<C extends CapturedChange>(scope: OwnScope, change: C): C | null {
  if (isForEveryOwner(change)) return { ...change, new: null, old: null }
  const { column, value } = scope
  const isNew = ownerOf(change.new, column) === value
  const isOld = ownerOf(change.old, column) === value
  if (isNew && isOld) return change
  if (isNew) return { ...change, op: 'insert', old: null }
  if (isOld) return { ...change, op: 'delete', key: keyOf(change), new: null }
  return null
}

/** It carries no image that says whose it is. */
export function isForEveryOwner({ op, oversize }: CapturedChange): boolean {
  return op === 'truncate' || oversize === true
}

/** Whose a row is, as text; null if it does not say. */
export function ownerOf(image: Row | null, column: string): string | null {
  if (image === null || !Object.hasOwn(image, column)) return null
  const owner = image[column]
  return typeof owner === 'string' || typeof owner === 'number' ? String(owner) : null
}

/** Of the old row: the new one, whose key the change carries, may have another. */
function keyOf({ key, old }: CapturedChange): Row | null {
  if (key === null || old === null) return key
  return Object.fromEntries(Object.keys(key).map((column) => [column, old[column] ?? null]))
}
