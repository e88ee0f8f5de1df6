import { type Backoff, fullJitter } from '../../protocol/backoff.ts'

/*
 * Law. What was surely not done may be sent again: too many requests. What may have been done is
 * sent again only if twice is once: a GET, or a create with its idempotency key. Everything else is
 * told to the person.
 */
export type Trouble =
  /** It was under way when the connection broke off. */
  | { kind: 'broken' }
  /** No answer came in time. */
  | { kind: 'late' }
  /** Nobody is there. */
  | { kind: 'unreachable' }
  | { kind: 'refused'; status: number; code: string | null; retryAfterMs: number | null }

const TRIES = 4
/** Whoever says to wait longer is told to the person. */
const MOST_PATIENCE_MS = 30_000
const BACKOFF: Backoff = { baseMs: 250, capMs: 4_000 }

/**
 * @param attempt from 1
 * @param random in [0, 1)
 * @returns milliseconds until the same is sent again; null: it is not
 */
export function repeatIn(
  trouble: Trouble,
  { attempt, isRepeatable, random }: { attempt: number; isRepeatable: boolean; random: number },
): number | null {
  if (attempt >= TRIES || trouble.kind === 'unreachable') return null
  const jitterMs = fullJitter(attempt, BACKOFF, random)
  if (trouble.kind === 'broken') return isRepeatable ? jitterMs : null
  // Each attempt takes half a minute: a person has waited long enough.
  if (trouble.kind === 'late') return isRepeatable && attempt === 1 ? jitterMs : null
  const { status, code, retryAfterMs } = trouble
  const undone = status === 429
  const again = isRepeatable && (status === 503 || code === 'idempotency_in_progress')
  if (retryAfterMs === null || retryAfterMs > MOST_PATIENCE_MS) return null
  return undone || again ? retryAfterMs + jitterMs : null
}
