import type { Inbox } from '../sdk/inbox.ts'

/** Why the list may not be as it is now, and what can be done. */
export type Trouble = { text: string; canRetry: boolean }

/** Failed attempts: one is soon mended. */
const WORTH_A_WORD = 2

export function troubleOf(store: Inbox | null): Trouble | null {
  if (store === null) return { text: 'Sign in to see your notifications.', canRetry: false }
  const { freshness, connection } = store
  if (freshness.state === 'closed') {
    const why = freshness.error && sentence(freshness.error.message)
    return { text: `${why ?? 'Closed.'} Sign in again.`, canRetry: false }
  }
  if (freshness.state === 'failing') {
    const why = sentence(freshness.error.message)
    return { text: `${why} Trying again.`, canRetry: true }
  }
  const failed =
    connection.state === 'waiting'
      ? connection.attempt
      : connection.state === 'connecting'
        ? connection.attempt - 1
        : 0
  if (failed < WORTH_A_WORD) return null
  return { text: 'Offline: what is new comes when the connection is back.', canRetry: true }
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
