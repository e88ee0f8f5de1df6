import type { DeliveryState } from '../../protocol/delivery-states.ts'
import { forgetAt, settled } from './attempt.ts'
import { shortened, withEntry } from './history.ts'
import type { Row } from './row.ts'

/**
 * The provider's later word on a delivery, and how it moves the ledger: pure.
 *
 * Must hold: words come late, twice and in any order, and every order ends in the same state,
 * because a word only raises. Whatever we believed ourselves, in doubt or given up, gives way to
 * it. A word on an earlier round is written down and moves nothing.
 */
export const words = [
  'sent',
  'delayed',
  'failed',
  'suppressed',
  'delivered',
  'opened',
  'clicked',
  'bounced',
  'complained',
] as const
export type Word = (typeof words)[number]

export type Heard = {
  /** The provider's id of the event. */
  id: string
  word: Word
  /** ms since 1970 */
  at: number
  providerId: string
  detail: string | null
}

const MEANS: Record<Word, { rank: number; state: DeliveryState }> = {
  sent: { rank: 1, state: 'sent' },
  delayed: { rank: 1, state: 'sent' },
  failed: { rank: 2, state: 'parked' },
  suppressed: { rank: 3, state: 'suppressed' },
  delivered: { rank: 4, state: 'delivered' },
  opened: { rank: 4, state: 'delivered' },
  clicked: { rank: 4, state: 'delivered' },
  bounced: { rank: 5, state: 'bounced' },
  complained: { rank: 6, state: 'complained' },
}

export function told(row: Row, { id, word, at, providerId, detail }: Heard, now: number): Row {
  const history = withEntry(row.history, word, at, detail, id)
  if (rankOf(word) <= rankOf(row.word)) return { ...row, history }
  const { state } = MEANS[word]
  const known = { history, word, provider_id: row.provider_id ?? providerId }
  if (row.state === state && row.doubt_since === null)
    return { ...row, ...known, last_error: errorOf(word, detail) }
  const { batch, payload } = row
  return {
    ...settled(row, state, null, now),
    ...known,
    // Who shared its request may still have to repeat it, whole.
    ...(batch !== null && { batch, payload, alone: 1 }),
    sent_at: row.sent_at ?? at,
    last_error: errorOf(word, detail),
    forget_at: forgetAt(state, now),
  }
}

/** On a round that is over. */
export function toldOfEarlier(row: Row, { id, word, at, detail }: Heard): Row {
  const said = detail === null ? 'Of an earlier round.' : `Of an earlier round: ${detail}`
  return { ...row, history: withEntry(row.history, word, at, said, id) }
}

function rankOf(word: string | null): number {
  return word === null ? 0 : (MEANS[word as Word]?.rank ?? 0)
}

/** What people should know of it; null where all is well. */
function errorOf(word: Word, detail: string | null): string | null {
  const says: Partial<Record<Word, string>> = {
    failed: 'The provider took it and then could not send it',
    suppressed: 'The provider sends nothing to this recipient',
    bounced: 'It came back',
    complained: 'The recipient called it spam',
  }
  const said = says[word]
  if (said === undefined) return null
  return shortened(detail === null ? `${said}.` : `${said}: ${detail}`, 1_000)
}
