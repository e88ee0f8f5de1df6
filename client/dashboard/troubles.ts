import { type ConnectionState, describe, type Freshness, type Loss } from '../sdk/belfry.ts'
import { formatCount, formatMs } from './format.ts'
import { mailsPath } from './route.ts'
import { plural, sentence } from './sentences.ts'
import type { SystemReading, SystemStatus } from './system-status.ts'

/** What keeps changes from arriving, and what to do about it. */
export type Trouble = {
  tone: 'wait' | 'bad'
  what: string
  advice: string
  /** Where it can be mended. */
  link?: { path: string; text: string }
}

export function troubles(
  connection: ConnectionState,
  freshness: Freshness,
  system: SystemReading,
): Trouble[] {
  const found: Trouble[] = []
  if (connection.state === 'closed') {
    found.push({
      tone: 'bad',
      what: sentence(describe(connection.reason)),
      advice: 'Reload this page to begin again.',
    })
  } else if (connection.state === 'waiting' || connection.state === 'connecting') {
    // The first try of a page that has just opened is no trouble yet.
    if (connection.attempt > 1 || connection.state === 'waiting') found.push(away(connection))
  } else if (system.state === 'failed') {
    found.push({ tone: 'wait', what: 'The status cannot be read.', advice: system.message })
  }
  if (freshness.state === 'failing') {
    const cause = freshness.error instanceof Error ? freshness.error.message : ''
    found.push({
      tone: 'bad',
      what: `The orders could not be read. ${cause}`.trim(),
      advice: `Next try within ${formatMs(freshness.retryInMs)}. What is shown may be old.`,
    })
  }
  if (system.state === 'read' && connection.state === 'live')
    found.push(...systemTroubles(system.status), ...mailTroubles(system.status, system.atMs))
  return found
}

function away(connection: ConnectionState & { state: 'waiting' | 'connecting' }): Trouble {
  if (connection.state === 'waiting' && isTooSlow(connection.reason))
    return {
      tone: 'wait',
      what: 'This page did not keep up with the changes.',
      advice:
        'It connects again by itself and shows what it missed. If it happens often, close what else keeps this computer busy.',
    }
  const cause =
    connection.state === 'waiting' ? sentence(describe(connection.reason)) : 'Trying to connect.'
  return {
    tone: 'bad',
    what: `Not connected. ${cause}`,
    advice:
      'This page tries again by itself and will show what it missed. Check that Belfry runs (npm start), or reconnect to try now.',
  }
}

function isTooSlow(reason: Loss): boolean {
  return reason.kind === 'closed' && reason.name === 'too_slow'
}

function systemTroubles({ delivering, why, consumers }: SystemStatus): Trouble[] {
  const found: Trouble[] = []
  if (why !== null) {
    const [what = '', ...advice] = why.replaceAll('`', '').split(/(?<=[.!?]) /)
    found.push({ tone: delivering ? 'wait' : 'bad', what, advice: advice.join(' ') })
  }
  for (const { name, parked, error } of consumers) {
    if (error === null || why?.includes(error)) continue
    found.push({
      tone: 'wait',
      what: `The consumer “${name}” fails: ${error}`,
      advice:
        parked > 0 ? `${formatCount(parked)} changes are parked.` : 'It tries again by itself.',
    })
  }
  return found
}

/** Sending takes seconds; a mail that has waited so long waits for something. */
const LONG_WAIT_MS = 2 * 60_000

function mailTroubles({ mail }: SystemStatus, nowMs: number): Trouble[] {
  const found: Trouble[] = []
  const waitedMs = mail.waiting_since === null ? 0 : nowMs - Date.parse(mail.waiting_since)
  if (waitedMs > LONG_WAIT_MS) {
    found.push({
      tone: 'wait',
      what: `Mails wait to be sent, the oldest for ${formatMs(waitedMs)}.`,
      advice: 'They are tried again by themselves; each says what it waits for.',
      link: {
        path: mailsPath({ states: ['queued', 'sending', 'failed'] }),
        text: 'Show what waits',
      },
    })
  }
  if (mail.parked > 0) {
    found.push({
      tone: 'wait',
      what: `${plural(mail.parked, 'mail needs', 'mails need')} a person.`,
      advice: 'Not sent, or nobody knows whether it was: see why, mend it, and try again.',
      link: { path: mailsPath({ states: ['unknown', 'parked'] }), text: 'Show them' },
    })
  }
  return found
}
