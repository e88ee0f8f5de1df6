import type { ConnectionState } from '../sdk/connect.ts'
import type { Freshness } from '../sdk/live.ts'
import { describe } from '../sdk/reasons.ts'
import { formatCount, formatMs } from './format.ts'
import { plural } from './sentences.ts'
import type { SystemReading, SystemStatus } from './system-status.ts'

/** What keeps changes from arriving, and what to do about it. */
export type Trouble = { tone: 'wait' | 'bad'; what: string; advice: string }

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
    found.push(...systemTroubles(system.status))
  return found
}

function away(connection: ConnectionState & { state: 'waiting' | 'connecting' }): Trouble {
  const cause =
    connection.state === 'waiting' ? sentence(describe(connection.reason)) : 'Trying to connect.'
  return {
    tone: 'bad',
    what: `Not connected. ${cause}`,
    advice:
      'This page tries again by itself and will show what it missed. Check that Belfry runs (npm start), or reconnect to try now.',
  }
}

function systemTroubles({ listener, consumers, mail }: SystemStatus): Trouble[] {
  const found: Trouble[] = []
  if (!listener.present) {
    found.push({
      tone: 'bad',
      what: 'No listener is connected, so new changes wait in Postgres. None is lost.',
      advice: 'npm start runs one; in production look at the listener’s log and its /healthz.',
    })
  } else if (listener.state === 'polling') {
    found.push({
      tone: 'wait',
      what: 'The listener polls, because it could not LISTEN.',
      advice:
        'Give it the direct address of the database, not the pooled one: belfry doctor says how.',
    })
  }
  for (const { name, parked, error } of consumers) {
    if (error === null) continue
    found.push({
      tone: 'wait',
      what: `The consumer “${name}” fails: ${error}`,
      advice:
        parked > 0 ? `${formatCount(parked)} changes are parked.` : 'It tries again by itself.',
    })
  }
  if (mail.parked > 0) {
    found.push({
      tone: 'wait',
      what: `${plural(mail.parked, 'mail is', 'mails are')} parked after failing.`,
      advice: 'Look at the mail’s error, mend it, and redrive it.',
    })
  }
  return found
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`
}
