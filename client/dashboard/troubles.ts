import { type ConnectionState, describe, type Freshness, type Loss } from '../sdk/belfry.ts'
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

function systemTroubles({ delivering, why, consumers, mail }: SystemStatus): Trouble[] {
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
