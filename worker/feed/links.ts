import type { Connection } from 'partyserver'
import { type CloseName, closeCodes, closeReason } from '../../protocol/close-codes.ts'
import {
  type ListenerState,
  PRESENCE_MS,
  type ToFeed,
  type ToListener,
} from '../../protocol/link.ts'
import { MAX_SKEW_MS } from '../../protocol/signature.ts'
import type { Intake } from './intake.ts'
import { admit, mayAppend } from './life.ts'
import type { Records } from './records.ts'
import { parseSaid } from './said.ts'
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
  readonly #log: Intake
  readonly #appended: () => void
  readonly #refused: (code: string, count: number) => void

  /**
   * @param appended called when there is more for shards and consumers
   * @param refused called with what is refused, to be counted
   */
  constructor(
    records: Records,
    log: Intake,
    appended: () => void,
    refused: (code: string, count: number) => void,
  ) {
    this.#records = records
    this.#log = log
    this.#appended = appended
    this.#refused = refused
  }

  connected(link: Connection<LinkState>, headers: Headers, now: number): void {
    const nonce = headers.get(NONCE_HEADER)
    if (!nonce || !this.#records.useNonce(nonce, now, now + 2 * MAX_SKEW_MS))
      return this.#refuse(link, 'unauthorized', 'this signature was used before', 'replayed')
    link.setState({ phase: 'connected' })
  }

  heard(
    link: Connection<LinkState>,
    message: string | ArrayBuffer,
    links: () => readonly Connection<LinkState>[],
    now: number,
  ): void {
    // Refused at the door: what it says before it has heard so is nobody's.
    if (link.state === null) return
    const said = parseSaid(message)
    if ('refusal' in said) return this.#refuse(link, 'bad_frame', said.refusal)
    if (said.type === 'open') return this.#open(link, said, links(), now)
    const state = link.state
    if (state?.phase !== 'open') return this.#refuse(link, 'bad_frame', 'a link begins with "open"')
    if (!mayAppend(this.#records.life, state.term)) return this.#refuseTerm(link)
    if (said.type === 'pulse') {
      const pulse = { state: said.state, lagMs: said.lagMs }
      link.setState({ ...state, heardAt: now, pulse })
    } else this.#append(link, said, now)
  }

  /** When a listener of the latest term was last heard on one of these; null if on none. */
  heardAt(links: readonly Connection<LinkState>[]): number | null {
    const { term } = this.#records.life
    let newest: number | null = null
    for (const { state } of links)
      if (state?.phase === 'open' && state.term === term && state.heardAt > (newest ?? 0))
        newest = state.heardAt
    return newest
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
    if (admission.kind === 'fenced') return this.#refuseTerm(link)
    if (admission.kind === 'other_source')
      return this.#refuse(link, 'other_source', `this feed holds the log of ${admission.source}`)
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
    const { epoch } = admission.life
    answer(link, { type: 'welcome', epoch, head: this.#log.head, canary: true })
    this.#appended()
  }

  #append(
    link: Connection<LinkState>,
    { seq, changes }: Extract<ToFeed, { type: 'batch' }>,
    now: number,
  ): void {
    const { after, through, duplicates } = this.#log.append(changes, now)
    answer(link, { type: 'ack', seq, head: through, duplicates })
    this.#refused('duplicate', duplicates)
    if (through > after) this.#appended()
  }

  /** Of the same term too: what it says from now on was sent again on the new one. */
  #supersede(link: Connection<LinkState>): void {
    link.setState({ phase: 'connected' })
    this.#fence(link)
  }

  #fence(link: Connection<LinkState>): void {
    answer(link, { type: 'fenced', term: this.#records.life.term })
    close(link, 'fenced', 'a later term has been seen')
  }

  #refuseTerm(link: Connection<LinkState>): void {
    this.#refused('fenced', 1)
    this.#fence(link)
  }

  #refuse(
    link: Connection<LinkState>,
    name: CloseName,
    reason: string,
    countedAs: string = name,
  ): void {
    this.#refused(countedAs, 1)
    close(link, name, reason)
  }
}

function answer(link: Connection<LinkState>, message: ToListener): void {
  if (link.readyState === WebSocket.READY_STATE_OPEN) link.send(JSON.stringify(message))
}

function close(link: Connection<LinkState>, name: CloseName, reason: string): void {
  link.close(closeCodes[name].code, closeReason(reason))
}
