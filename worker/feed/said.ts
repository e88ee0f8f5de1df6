import { type CapturedChange, operations } from '../../protocol/change.ts'
import { MAX_BATCH_CHANGES, type ToFeed, toFeed } from '../../protocol/link.ts'

/**
 * What a listener said, or why it cannot be read.
 *
 * A batch is looked at by hand and not through its schema: the two agree on every input (a test
 * holds them together), and this takes a tenth of the time, which is most of what an append cost.
 */
export function parseSaid(message: string | ArrayBuffer): ToFeed | { refusal: string } {
  if (typeof message !== 'string') return { refusal: 'the link speaks JSON text' }
  let said: unknown
  try {
    said = JSON.parse(message)
  } catch {
    return { refusal: 'not JSON' }
  }
  if (isObject(said) && said.type === 'batch') return parseBatch(said)
  const parsed = toFeed.safeParse(said)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return { refusal: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}` }
}

type Batch = Extract<ToFeed, { type: 'batch' }>

function parseBatch({ seq, changes }: JsonObject): Batch | { refusal: string } {
  if (!Number.isSafeInteger(seq) || (seq as number) < 0)
    return { refusal: 'seq: must be a whole number from 0' }
  if (!Array.isArray(changes) || changes.length === 0 || changes.length > MAX_BATCH_CHANGES)
    return { refusal: `changes: must be a list of 1 to ${MAX_BATCH_CHANGES}` }
  const read: CapturedChange[] = []
  for (const [index, change] of changes.entries()) {
    const wrong = isObject(change) ? wrongIn(change) : ': must be an object'
    if (wrong !== null) return { refusal: `changes.${index}${wrong}` }
    read.push(only(change as CapturedChange))
  }
  return { type: 'batch', seq: seq as number, changes: read }
}

/** @returns the field and what it must be; null when nothing is wrong */
function wrongIn({ id, table, op, key, new: row, old, at, oversize }: JsonObject): string | null {
  if (typeof id !== 'string' || !UUID.test(id)) return '.id: must be a UUID'
  if (!isText(table, 1, 255)) return '.table: must be 1 to 255 characters'
  if (!operations.includes(op as never)) return `.op: must be one of ${operations.join(', ')}`
  if (key !== null && !isObject(key)) return '.key: must be an object or null'
  if (row !== null && !isObject(row)) return '.new: must be an object or null'
  if (old !== null && !isObject(old)) return '.old: must be an object or null'
  if (!isText(at, 20, 40)) return '.at: must be a time in ISO 8601'
  if (oversize !== undefined && oversize !== true) return '.oversize: must be true or absent'
  return null
}

/** Nothing that the protocol does not know comes into the log. */
function only({ id, table, op, key, new: row, old, at, oversize }: CapturedChange): CapturedChange {
  const change = { id, table, op, key, new: row, old, at }
  return oversize ? { ...change, oversize } : change
}

type JsonObject = { [name: string]: unknown }

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most
}

/** As RFC 9562 has it: a version from 1 to 8 and its variant, or all zeros, or all ones. */
const UUID =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|0{8}(-0{4}){3}-0{12}|f{8}(-f{4}){3}-f{12})$/i
