import { CANARY_TABLE } from './canary.ts'
import type { Operation } from './change.ts'
import { quoteInexactNumbers } from './exact-numbers.ts'
import { MAX_BATCH_BYTES, MAX_CHANGE_BYTES } from './link.ts'

/**
 * A row of the outbox, as `belfry.peek` gives it. The images are the text that Postgres wrote;
 * putting the change together is left to the reader, because the database's core is the writers'.
 */
export type OutboxRow = {
  /** The outbox's own, a bigint: what is acknowledged is deleted by it. */
  id: string
  /** The change's UUID. */
  change: string
  table: string
  op: Operation
  key_columns: string[]
  /** JSON; only of a row whose images are too large to be read, and so stay behind. */
  key: string | null
  new: string | null
  old: string | null
  /** ISO 8601 in UTC with microseconds. */
  at: string
  /** How long ago the row was written, by the database's clock. */
  age_ms: number
  /** Nobody has seen the images: see `key`. */
  oversize: boolean
  /** There is another row behind this one. */
  followed: boolean
}

/** A change that is owed to the feed, as the JSON text that the feed takes. */
export type OwedChange = {
  id: string
  text: string
  ageMs: number
  oversize: boolean
  /** Of the canary's changes alone: which beat it is, 0 if it is none. */
  beat?: number
}

/**
 * As many of the rows as one batch holds, at least one.
 * @returns `more`: the outbox may hold more than these
 */
export function fillBatch(rows: readonly OutboxRow[]): { owed: OwedChange[]; more: boolean } {
  const owed: OwedChange[] = []
  let bytes = 0
  for (const row of rows) {
    const { text, oversize } = changeText(row)
    bytes += text.length
    if (bytes > MAX_BATCH_BYTES && owed.length > 0) return { owed, more: true }
    const change: OwedChange = { id: row.id, text, ageMs: row.age_ms, oversize }
    if (row.table === CANARY_TABLE) change.beat = beatOf(row)
    owed.push(change)
  }
  return { owed, more: rows.at(-1)?.followed ?? false }
}

/**
 * The change as it goes to the feed. Quoting numbers and naming the key make it longer than its
 * images, so its size is asked here too: what the feed could not store would hold up all that
 * follows.
 */
export function changeText(row: OutboxRow): { text: string; oversize: boolean } {
  if (row.oversize) return { text: bare(row, row.key ?? 'null'), oversize: true }
  const images = { new: image(row.new), old: image(row.old) }
  const key = keyOf(images.new ?? images.old, row.key_columns)
  const text = `{${head(row, key)},"new":${images.new},"old":${images.old},"at":"${row.at}"}`
  return isTooLarge(text) ? { text: bare(row, key), oversize: true } : { text, oversize: false }
}

function beatOf({ new: image }: OutboxRow): number {
  return image === null ? 0 : Number(JSON.parse(image).beat)
}

function bare(row: OutboxRow, key: string): string {
  return `{${head(row, key)},"new":null,"old":null,"at":"${row.at}","oversize":true}`
}

function head({ change, table, op }: OutboxRow, key: string): string {
  return `"id":"${change}","table":${JSON.stringify(table)},"op":"${op}","key":${key}`
}

function image(text: string | null): string | null {
  return text === null ? null : quoteInexactNumbers(text)
}

/** Written member by member, so that a column may have any name, `__proto__` too. */
function keyOf(row: string | null, columns: readonly string[]): string {
  if (row === null) return 'null'
  const values = JSON.parse(row)
  const members = columns.map((name) => `${JSON.stringify(name)}:${JSON.stringify(values[name])}`)
  return `{${members.join(',')}}`
}

function isTooLarge(text: string): boolean {
  // A character is at most three bytes of UTF-8: most texts need not be counted.
  if (text.length * 3 <= MAX_CHANGE_BYTES) return false
  return new TextEncoder().encode(text).length > MAX_CHANGE_BYTES
}
