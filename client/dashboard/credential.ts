import { signal } from '@preact/signals'
import type { Token } from '../sdk/belfry.ts'

/*
 * What this page shows to be let in.
 *
 * The worker is authoritative about who may do what. Must hold: a credential goes out in the header
 * of a request and nowhere else, never in an address; what a person pasted is kept for this tab
 * alone, and is forgotten as soon as it is refused. With it goes all that was read under it: the
 * page is loaded again, so that whoever comes next begins with nothing.
 */

const KEY = 'belfry.credential'
const WHY = 'belfry.ended'

export type Source =
  /** Nobody said who asks: what anyone may do here, the worker decides. */
  | { kind: 'anyone' }
  /** An API key or a token that a person pasted. */
  | { kind: 'pasted'; text: string }
  /** A local run gives one, and another when that one has ended. */
  | { kind: 'renewed'; give(refused: string | null): Promise<string> }

let source: Source = { kind: 'anyone' }

/** The page is to be loaded again. */
export const hasEnded = signal(false)

export function setSource(next: Source): void {
  source = next
  if (next.kind === 'pasted') remember(KEY, next.text)
}

/** @throws Error in words when a local run gives none */
export async function bearer(): Promise<string | null> {
  if (source.kind === 'anyone') return null
  return source.kind === 'pasted' ? source.text : source.give(null)
}

/**
 * What to show instead of one that was refused. Of one that was pasted there is no other: the
 * session ends with a sentence.
 */
export async function instead(refused: string, sentence: string): Promise<string | null> {
  if (source.kind === 'renewed') return source.give(refused)
  if (source.kind === 'pasted' && source.text === refused) endSession(sentence)
  return null
}

/** As the SDK takes it: a text that is refused ends a connection, a function is asked again. */
export function sdkToken(): { token?: Token } {
  if (source.kind === 'anyone') return {}
  return { token: source.kind === 'pasted' ? source.text : async () => (await bearer()) ?? '' }
}

/** @param why a sentence for the next page; null when a person asked for it */
export function endSession(why: string | null): void {
  if (hasEnded.peek() || source.kind !== 'pasted') return
  forget(KEY)
  if (why !== null) remember(WHY, why)
  hasEnded.value = true
}

/** What was pasted before this page was loaded again. */
export function pastedBefore(): string | null {
  return recall(KEY)
}

/** Why the last session ended, said once. */
export function takeWhy(): string | null {
  const why = recall(WHY)
  forget(WHY)
  return why
}

// Storage may be forbidden: the session then lasts until the page is left.

function remember(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text)
  } catch {}
}

function recall(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

function forget(key: string): void {
  try {
    sessionStorage.removeItem(key)
  } catch {}
}
