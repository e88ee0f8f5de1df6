import { formatRefresh } from '../../protocol/session.ts'
import type { Topic } from '../../protocol/ticket.ts'
import { type BearerRequests, bearerRequests } from './bearer-requests.ts'
import type { LifeEvent } from './lifecycle.ts'
import { Denied, Refusal, Unreachable } from './request-failures.ts'
import type { Token } from './token.ts'

/*
 * How a socket is let in, and stays in: a ticket for each attempt, and a new token in time. Of what
 * is asked for the newest answer alone counts. What comes of it is an event of lifecycle.ts.
 */

/** Who asks, and for which sockets. */
export type Door = { requests: BearerRequests; topic: Topic }

/** @throws TypeError when `url` is not an http(s) address, or `token` says nothing */
export function doorOf(
  url: string,
  token: Token | undefined,
  topic: Topic,
  fetchIt?: typeof fetch,
): Door | null {
  return token === undefined ? null : { requests: bearerRequests({ url, token }, fetchIt), topic }
}

export type Admission = {
  /** Whether every attempt takes a ticket. */
  readonly asks: boolean
  /** Whether there is somebody to ask for another token. */
  readonly renews: boolean
  /** Of the newest attempt; null where none is needed. */
  readonly ticket: string | null
  /** The frame that sends the new token. */
  readonly refresh: string
  ask(): void
  /** For the session of the socket that is live. */
  renew(): void
  /** The text without the token and the ticket, should anyone have repeated them. */
  hide(text: string): string
}

/** @param door null where sockets are open to anyone */
export function admissionOn(door: Door | null, dispatch: (event: LifeEvent) => void): Admission {
  let ticket: string | null = null
  let refresh = ''
  let asked = 0
  return {
    asks: door !== null,
    renews: Boolean(door?.requests.renew),
    get ticket() {
      return ticket
    },
    get refresh() {
      return refresh
    },
    ask: () => void (door && ask(door)),
    renew: () => void (door?.requests.renew && renew(door.requests.renew)),
    hide(text) {
      const hidden = door ? door.requests.hide(text) : text
      return ticket === null ? hidden : hidden.replaceAll(ticket, '…')
    },
  }

  async function ask(door: Door) {
    const mine = ++asked
    try {
      const given = await ticketFrom(door)
      if (mine !== asked) return
      ticket = given
      dispatch({ type: 'ticket_given' })
    } catch (error) {
      if (mine === asked) dispatch(withoutTicket(error))
    }
  }

  async function renew(ask: () => Promise<string>) {
    const token = await ask().catch(() => null)
    if (token !== null) refresh = formatRefresh(token)
    dispatch({ type: token === null ? 'token_not_renewed' : 'token_renewed' })
  }
}

const FORBIDDEN = 403

/**
 * Exchanges the token for a ticket, which opens one socket once: a token does not belong in an
 * address, which is logged.
 * @throws what a request throws; `Denied` too when the token is a text that does not open the topic
 */
async function ticketFrom({ requests, topic }: Door): Promise<string> {
  const ofUser = topic === 'notifications' || topic === 'orders'
  const path = ofUser ? 'api/me/tickets' : 'api/tickets'
  let answer: unknown
  try {
    answer = await requests.request('POST', path, { body: { topic }, isAnew: true })
  } catch (error) {
    const isFinal = error instanceof Refusal && error.status === FORBIDDEN && !requests.renew
    throw isFinal ? new Denied(error.message) : error
  }
  const { ticket } = (answer ?? {}) as { ticket?: unknown }
  if (typeof ticket !== 'string')
    throw new Error('the worker answered something else than a ticket')
  return ticket
}

function withoutTicket(error: unknown): LifeEvent {
  const detail = error instanceof Error ? error.message : String(error)
  if (error instanceof Denied) return { type: 'denied', detail }
  if (error instanceof Unreachable) {
    const hint = error.hint ?? ''
    return { type: 'lost', reason: { kind: 'closed', code: 1006, name: null, detail: hint } }
  }
  if (!(error instanceof Refusal)) return { type: 'lost', reason: { kind: 'token', detail } }
  const { retryAfterMs } = error
  const reason = { kind: 'ticket', detail } as const
  return { type: 'lost', reason, ...(retryAfterMs !== null && { retryAfterMs }) }
}
