import type { Answer } from './outcome.ts'

/**
 * What a courier must know of a channel. The ledger, pacing, retry and parking are the courier's;
 * what a recipient is, what is sent and what an answer means are the channel's.
 *
 * Must hold: `prepare` and `send` end by themselves, within a minute, whatever the network does.
 * What `prepare` gives is frozen, and `send` makes the same request of the same payloads, byte
 * for byte, however long after.
 */
export type Channel = {
  /** At most so many deliveries in one request; 1 for a channel that knows no batches. */
  readonly batch: number
  /** Two spellings of one recipient have the same key. */
  recipientKey(recipient: string): string
  /** Whether anything can be sent at all, asked before each request. */
  ready(): Ready
  /** Asked once for each idempotency key. A throw parks the delivery with its message. */
  prepare(parcel: Parcel): Promise<Prepared>
  /**
   * Why this must not go out, or null; asked in the very transaction that begins an attempt. Not
   * asked of a batch that is repeated: it is on its way already, and has no other content.
   */
  veto(parcel: Parcel, payload: string): string | null
  send(request: Shipment): Promise<Answer>
}

export type Ready = { kind: 'ready' } | { kind: 'hold'; afterMs: number; why: string }

/** A delivery as its channel sees it. */
export type Parcel = {
  id: number
  /** Names the delivery and its round to the provider; letters, digits, `_` and `-`. */
  tag: string
  rule: number
  ruleName: string
  change: string
  table: string
  key: string
  recipient: string
  body: string
  /** Attempts that have been made under the present key. */
  attempts: number
}

export type Prepared =
  | { kind: 'send'; payload: string }
  | { kind: 'suppressed'; why: string }
  | { kind: 'park'; why: string }
  /** Not now, for a reason that is this delivery's alone; it costs no attempt. */
  | { kind: 'wait'; afterMs: number; why: string }
  /** Nothing can be sent now, whoever it is for; it costs no attempt. */
  | { kind: 'hold'; afterMs: number; why: string }

/** One request: 1 to `batch` payloads under one idempotency key. */
export type Shipment = {
  key: string
  parcels: readonly { parcel: Parcel; payload: string }[]
}
