import type { Connection } from 'partyserver'
import { type CloseName, closeCodes } from '../../protocol/close-codes.ts'
import {
  type ListenerState,
  PRESENCE_MS,
  type ToFeed,
  type ToListener,
  toFeed,
} from '../../protocol/link.ts'
import { MAX_SKEW_MS } from '../../protocol/signature.ts'
import { admit, mayAppend } from './life.ts'
import type { Log } from './log.ts'
import type { Records } from './records.ts'
import type { ListenerReport } from './status.ts'

/** The header by which the worker, having verified a link's signature, passes on its nonce. */
export const NONCE_HEADER = 'x-belfry-nonce'

/** What is remembered of a link, in its socket's attachment, across hibernation. */
export type LinkState =
  | { phase: 'connected' }
  | {
      phase: 'open'
      term: number
      listener: string
      since: number
      heardAt: number
      pulse: { state: ListenerState; lagMs: number }
    }

/** The listener's side of the feed: admits links, appends their batches, answers. */
export class Links {
  readonly #records: Records
  readonly #log: Log
  readonly #appended: () => void

  /** @param appended called when there is more for shards and consumers */
  constructor(records: Records, log: Log, appended: () => void) {
    this.#records = records
    this.#log = log
    this.#appended = appended
  }

  connected(link: Connection<LinkState>, headers: Headers, now: number): void {
    const nonce = headers.get(NONCE_HEADER)
    if (!nonce || !this.#records.useNonce(nonce, now, now + 2 * MAX_SKEW_MS))
      return refuse(link, 'unauthorized', 'this signature was used before')
    link.setState({ phase: 'connected' })
  }

  heard(
    link: Connection<LinkState>,
    message: string | ArrayBuffer,
    links: () => readonly Connection<LinkState>[],
    now: number,
  ): void {
    const said = parse(message)
    if ('refusal' in said) return refuse(link, 'bad_frame', said.refusal)
    if (said.type === 'open') return this.#open(link, said, links(), now)
    const state = link.state
    if (state?.phase !== 'open') return refuse(link, 'bad_frame', 'a link begins with "open"')
    if (!mayAppend(this.#records.life, state.term)) return this.#fence(link)
    if (said.type === 'pulse') {
      const pulse = { state: said.state, lagMs: said.lagMs }
      link.setState({ ...state, heardAt: now, pulse })
    } else this.#append(link, said, now)
  }

  report(links: readonly Connection<LinkState>[], now: number): ListenerReport {
    const { term } = this.#records.life
    for (const { state } of links) {
      if (state?.phase !== 'open' || state.term !== term) continue
      if (now - state.heardAt > PRESENCE_MS) continue
      const { listener: name, since, pulse } = state
      return { present: true, name, term, since: new Date(since).toISOString(), ...pulse }
    }
    return { present: false }
  }

  #open(
    link: Connection<LinkState>,
    { source, term, listener }: Extract<ToFeed, { type: 'open' }>,
    links: readonly Connection<LinkState>[],
    now: number,
  ): void {
    const admission = admit(this.#records.life, { source, term })
    if (admission.kind === 'fenced') return this.#fence(link)
    if (admission.kind === 'other_source')
      return refuse(link, 'other_source', `this feed holds the log of ${admission.source}`)
    this.#records.life = admission.life
    link.setState({
      phase: 'open',
      term,
      listener,
      since: now,
      heardAt: now,
      pulse: { state: 'awake', lagMs: 0 },
    })
    // One link speaks: an earlier one is either an older term's or this leader's broken one.
    for (const other of links) if (other.id !== link.id) this.#supersede(other)
    answer(link, { type: 'welcome', epoch: admission.life.epoch, head: this.#log.head })
    this.#appended()
  }

  #append(
    link: Connection<LinkState>,
    { seq, changes }: Extract<ToFeed, { type: 'batch' }>,
    now: number,
  ): void {
    const { after, through, duplicates } = this.#log.append(changes, now)
    answer(link, { type: 'ack', seq, head: through, duplicates })
    if (through > after) this.#appended()
  }

  /** Of the same term too: what it says from now on was sent again on the new one. */
  #supersede(link: Connection<LinkState>): void {
    link.setState({ phase: 'connected' })
    this.#fence(link)
  }

  #fence(link: Connection<LinkState>): void {
    answer(link, { type: 'fenced', term: this.#records.life.term })
    refuse(link, 'fenced', 'a later term has been seen')
  }
}

function parse(message: string | ArrayBuffer): ToFeed | { refusal: string } {
  if (typeof message !== 'string') return { refusal: 'the link speaks JSON text' }
  try {
    const parsed = toFeed.safeParse(JSON.parse(message))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    return { refusal: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}` }
  } catch {
    return { refusal: 'not JSON' }
  }
}

function answer(link: Connection<LinkState>, message: ToListener): void {
  if (link.readyState === WebSocket.READY_STATE_OPEN) link.send(JSON.stringify(message))
}

function refuse(link: Connection<LinkState>, name: CloseName, reason: string): void {
  // A close reason holds at most 123 bytes.
  link.close(closeCodes[name].code, reason.slice(0, 120))
}
