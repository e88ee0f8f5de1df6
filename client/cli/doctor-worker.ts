import { z } from 'zod'
import { formatPosition } from '../../protocol/position.ts'
import { connect, describe } from '../sdk/belfry.ts'
import { workerAddress } from './address.ts'
import { askAdmin, askFor } from './admin.ts'
import { call } from './api.ts'
import { credentialFor } from './credential.ts'
import { examineInbox } from './doctor-inbox.ts'
import { examine, type Finding, failed, fine, skip, type Verdict, warning } from './finding.ts'
import { canaryText, listenerMeanings, readStatus, type StatusReport } from './status-report.ts'
import type { Terminal } from './terminal.ts'

const LIVE_TIMEOUT_MS = 10_000
/** A change is in the feed in milliseconds; this long, and something is stuck. */
const LAG_TOO_LONG_MS = 5_000

/** From the worker to the subscribers and the mail. */
export async function* examineWorker(terminal: Terminal): AsyncGenerator<Finding> {
  let url: string | null = null
  const health = await examine('worker', async () => {
    const address = workerAddress(terminal)
    await call(address, '/healthz', z.object({ ok: z.literal(true) }))
    url = address
    return fine(`${address} answers`)
  })
  yield health
  if (url === null)
    return yield* skip(
      ['api', 'link', 'canary', 'feed', 'mail', 'inbox', 'subscription'],
      'the worker cannot be reached',
    )
  const base: string = url
  yield await examine('api', async () => {
    const page = z.object({ orders: z.array(z.unknown()) })
    await askFor('orders:read', terminal, '/api/orders?limit=1', page)
    return fine('an order could be read from the database')
  })
  let report: StatusReport | null = null
  yield await examine('link', async () => {
    report = await readStatus(terminal)
    return examineLink(report)
  })
  if (report === null) yield* skip(['canary', 'feed', 'mail'], 'the status cannot be read')
  else {
    const read: StatusReport = report
    yield await examine('canary', async () => examineCanary(read))
    yield await examine('feed', async () => examineFeed(read))
    yield await examine('mail', async () => examineMail(read, await whyMailsWait(terminal, read)))
  }
  yield* examineInbox(terminal)
  yield await examine('subscription', () => subscribe(base, terminal))
}

export function examineLink({ listener }: StatusReport): Verdict {
  if (!listener.present)
    return failed(
      'no listener is connected',
      'Start it (`npm start`, or the container), with FEED_URL this worker and the same LINK_SECRET; its log says why it is refused.',
    )
  const said = `listener ${listener.name}, term ${listener.term}, ${listenerMeanings[listener.state]}`
  return listener.state === 'polling'
    ? warning(
        said,
        'Give the listener the direct address of the database; changes take up to 250 ms.',
      )
    : fine(said)
}

/** Whether a change was seen to go the whole way. */
export function examineCanary(report: StatusReport): Verdict {
  const { delivering, why } = report
  if (!delivering) return failed('changes do not arrive', why ?? 'Run the doctor again.')
  const seen = report.drain.by === 'listener' ? canaryText(report) : 'changes arrive, but late'
  return why === null ? fine(seen) : warning(seen, why)
}

/** Whether changes come in and go on. */
export function examineFeed({ head, lag_ms: lag, consumers }: StatusReport): Verdict {
  if (lag !== null && lag > LAG_TOO_LONG_MS)
    return failed(
      `the oldest change has waited ${Math.round(lag / 1000)} s to come in`,
      'The listener cannot keep up or cannot send: read its log.',
    )
  const broken = consumers.find(({ error, behind }) => error !== null && behind > 0)
  if (broken)
    return failed(
      `${broken.name} is ${broken.behind} behind: ${broken.error}`,
      'It is tried again by itself, then parked; put right what the error says.',
    )
  const parked = consumers.filter(({ name, parked }) => name !== 'mail' && parked > 0)
  if (parked.length > 0)
    return warning(
      parked.map(({ name, parked }) => `${name} has parked ${parked}`).join(', '),
      '`belfry parked list` shows why, and `belfry parked redrive` hands one over again.',
    )
  return fine(`at ${head}, lag ${lag === null ? 'unknown' : `${Math.round(lag)} ms`}`)
}

/** @param why mails wait, as the newest of them says; null if none does, or it does not say */
export function examineMail({ mail, consumers }: StatusReport, why: string | null): Verdict {
  const changes = consumers.find(({ name }) => name === 'mail')?.parked ?? 0
  const said = `${mail.sent} sent, ${mail.queued} queued, ${mail.parked + changes} parked`
  if (mail.parked > 0)
    return warning(
      mail.unknown === 0 ? said : `${said}, ${mail.unknown} of which may have gone out`,
      '`belfry mail list --state parked,unknown` says why, and `belfry mail redrive --state parked,unknown` tries them again.',
    )
  if (changes > 0)
    return warning(
      said,
      'Changes that may owe a mail were given up: `belfry parked list` says why.',
    )
  return why === null
    ? fine(said)
    : warning(said, `Mails wait, and are tried again by themselves. The last trouble: ${why}`)
}

async function whyMailsWait(terminal: Terminal, { mail }: StatusReport): Promise<string | null> {
  if (mail.queued === 0 || credentialFor('admin', terminal) === null) return null
  const newest = z.object({ emails: z.array(z.object({ last_error: z.string().nullable() })) })
  const { emails } = await askAdmin(terminal, '/api/emails?state=queued,failed&limit=1', newest)
  return emails[0]?.last_error ?? null
}

/** The whole way of a subscriber: upgrade, hello, there and back. */
async function subscribe(url: string, terminal: Terminal): Promise<Verdict> {
  const as = credentialFor('*:read', terminal)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let trouble = 'no answer'
  const deadline = setTimeout(() => reject(new Error('late')), LIVE_TIMEOUT_MS)
  using connection = connect({
    url,
    ...(as && { token: as.token }),
    onState(state) {
      if (state.state === 'live') resolve()
      if (state.state === 'waiting') trouble = describe(state.reason)
      if (state.state === 'closed' && state.reason.kind === 'refused') {
        trouble = describe(state.reason)
        reject(new Error('refused'))
      }
    },
  })
  try {
    await promise
    const ms = await connection.ping()
    const { position } = connection
    return fine(
      `live${position ? ` at ${formatPosition(position)}` : ''}, there and back in ${ms.toFixed(1)} ms`,
    )
  } catch {
    return failed(
      `a WebSocket could not be had: ${trouble}`,
      'If the checks above are fine, something between here and the worker does not let WebSockets through.',
    )
  } finally {
    clearTimeout(deadline)
  }
}
