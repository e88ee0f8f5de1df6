import { type CapturedChange, type Operation, operations, type Value } from './change.ts'
import { type Position, parsePosition } from './position.ts'
import type { ProblemCode } from './problems.ts'
import { NOTHING, type Scope, withinScope } from './scope.ts'

/**
 * What a subscriber wants to hear. An absent part leaves nothing out; `where`
 * is equality on columns, all of which must hold.
 */
export type Subscription = {
  table?: string
  ops?: readonly Operation[]
  where: { readonly [column: string]: string }
  /** What it may hear at all, as the worker says; no query says it. Without one, nothing. */
  scope?: Scope
}

/** From where: a position, an offset in whichever epoch is current, or (null) from now on. */
export type Start = { epoch: string | null; offset: number } | null

export type SubscriptionQuery =
  | ({ ok: true; subscription: Subscription; start: Start } & Manner)
  | { ok: false; code: Refusal; detail: string }

/** How a subscriber is spoken to over a WebSocket. */
export type Manner = {
  /** It says how far it has come (acknowledgement.ts). */
  acks: boolean
  /** It takes large frames deflated (deflated.ts). */
  deflate: boolean
}

type Refusal = Extract<ProblemCode, 'invalid_filter' | 'invalid_position' | 'invalid_query'>

/** No columns either, like `table`, `op` and those of `Manner`. A column of such a name is `where.<name>=`. */
const POSITION = new Set(['after', 'epoch'])
/** Read elsewhere, by whoever takes them. */
const OTHERS = new Set(['limit', 'ticket'])
const MAX_FILTERS = 8
const MAX_TEXT = 255
const ONCE = 'was given twice; give it once'

/**
 * Reads `?table=orders&op=insert,update&status=filled&after=41&epoch=k3v…`.
 * @param lastEventId SSE's `Last-Event-ID`, which wins over `after` when it is a position
 */
export function parseSubscription(
  query: URLSearchParams,
  lastEventId: string | null = null,
): SubscriptionQuery {
  // Without a prototype, so that a column may have any name.
  const where: { [column: string]: string } = Object.create(null)
  const subscription: Subscription = { where }
  const given = new Set<string>()
  const manner: Manner = { acks: false, deflate: false }
  for (const [name, text] of query) {
    if (OTHERS.has(name)) continue
    if (text.length > MAX_TEXT || name.length > MAX_TEXT)
      return refuse(codeOf(name), `${name.slice(0, 40)}: at most ${MAX_TEXT} characters`)
    // Whichever of two were taken, the other would be left out without a word.
    if (given.has(name)) return refuse(codeOf(name), `${name}: ${ONCE}`)
    given.add(name)
    if (name === 'table') {
      if (text === '') return refuse('invalid_filter', 'table: must not be empty')
      subscription.table = text
    } else if (name === 'op') {
      const ops = text.split(',')
      const unknown = ops.find((op) => !operations.includes(op as Operation))
      if (unknown !== undefined)
        return refuse('invalid_filter', `op: "${unknown}" is none of ${operations.join(', ')}`)
      subscription.ops = operations.filter((op) => ops.includes(op))
    } else if (name === 'acks' || name === 'deflate') {
      if (text !== '1')
        return refuse('invalid_query', `${name}: give 1 or leave it out; a column is where.${name}`)
      manner[name] = true
    } else if (!POSITION.has(name)) {
      const column = name.startsWith('where.') ? name.slice(6) : name
      if (column === '') return refuse('invalid_filter', `"${name}=": a column has a name`)
      if (column in where) return refuse('invalid_filter', `${column}: ${ONCE}`)
      where[column] = text
    }
  }
  if (Object.keys(where).length > MAX_FILTERS)
    return refuse('invalid_filter', `at most ${MAX_FILTERS} columns can be filtered on`)

  const start = parseStart(query, lastEventId)
  return start === undefined
    ? refuse(
        'invalid_position',
        'after: a whole number from 0 to 999999999999999; epoch: as the hello frame gave it',
      )
    : { ok: true, subscription, start, ...manner }
}

/** @returns the change as this subscription hears it; null if it does not */
export function heardBy<C extends CapturedChange>(subscription: Subscription, change: C): C | null {
  const seen = withinScope(subscription.scope ?? NOTHING, change)
  return seen !== null && matches(subscription, seen) ? seen : null
}

/**
 * Of what is in its scope. A row that leaves the filter is delivered: the old image matches. What
 * carries no image (truncate, oversize) cannot be ruled out, so it is delivered.
 */
export function matches({ table, ops, where }: Subscription, change: CapturedChange): boolean {
  if (table !== undefined && change.table !== table) return false
  if (ops !== undefined && !ops.includes(change.op)) return false
  const images = [change.new, change.old].filter((image) => image !== null)
  if (images.length === 0) return true
  const filters = Object.entries(where)
  return images.some((image) =>
    filters.every(([column, text]) => Object.hasOwn(image, column) && equals(image[column], text)),
  )
}

/** Two subscriptions of the same key hear the same frames. */
export function subscriptionKey({ table, ops, where, scope }: Subscription): string {
  const filters = Object.entries(where).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([table ?? null, ops ?? null, filters, ...scopeKey(scope ?? NOTHING)])
}

function scopeKey(scope: Scope): readonly unknown[] {
  switch (scope.kind) {
    case 'operator':
      return [scope.kind]
    case 'tables':
      return [scope.kind, scope.tables]
    case 'own':
      return [scope.kind, scope.table, scope.column, scope.value]
  }
}

function equals(value: Value | undefined, text: string): boolean {
  if (value === undefined) return false
  if (typeof value === 'number') return text.trim() !== '' && Number(text) === value
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value) === text
    : String(value) === text
}

function parseStart(query: URLSearchParams, lastEventId: string | null): Start | undefined {
  const resumed: Position | null = lastEventId === null ? null : parsePosition(lastEventId)
  if (resumed) return resumed
  const after = query.get('after')
  const epoch = query.get('epoch')
  if (epoch !== null && !/^[0-9a-z]{1,32}$/.test(epoch)) return undefined
  if (after === null) return lastEventId === null || lastEventId === '' ? null : undefined
  return /^\d{1,15}$/.test(after) ? { epoch, offset: Number(after) } : undefined
}

function codeOf(name: string): Refusal {
  return POSITION.has(name) ? 'invalid_position' : 'invalid_filter'
}

function refuse(code: Refusal, detail: string): SubscriptionQuery {
  return { ok: false, code, detail }
}
