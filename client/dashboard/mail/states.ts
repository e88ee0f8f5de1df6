import type { DeliveryState } from '../../../protocol/delivery-states.ts'

export type MailCounts = Readonly<Record<DeliveryState, number>>

/** What a mail in this state is, for a person who wonders. */
export const meanings: Readonly<Record<DeliveryState, string>> = {
  queued: 'Waiting for its turn.',
  sending: 'Being handed to the provider.',
  failed: 'It did not go out yet and is tried again by itself.',
  sent: 'The provider took it. Whether it arrived is not known yet.',
  delivered: 'It arrived at the recipient’s mail server.',
  bounced: 'The recipient’s mail server refused it.',
  complained: 'It arrived, and the recipient marked it as spam.',
  suppressed: 'Not sent: the recipient wants none, or cannot be reached.',
  cancelled: 'Not sent: a person cancelled it.',
  unknown: 'It may have gone out, and repeating it might send it twice. A person decides.',
  parked: 'It cannot be sent as it is, or was tried too often. A person decides.',
}

/** Nothing of these has surely gone out; the courier has the last word. */
export const cancellable: ReadonlySet<DeliveryState> = new Set<DeliveryState>(['queued', 'failed'])

export type MailGroup = {
  name: string
  title: string
  states: readonly DeliveryState[]
  /** Said under the number while its states need no telling apart. */
  note: string
  /** Of its dot as soon as there is one. */
  tone: 'good' | 'wait' | 'bad' | 'idle'
}

/** Few enough for a phone. The first three are the way of a mail, the others leave it. */
export const groups: readonly MailGroup[] = [
  {
    name: 'waiting',
    title: 'Waiting',
    states: ['queued', 'sending', 'failed'],
    note: 'nothing waits',
    tone: 'wait',
  },
  { name: 'sent', title: 'Sent', states: ['sent'], note: 'the provider has them', tone: 'good' },
  {
    name: 'delivered',
    title: 'Delivered',
    states: ['delivered'],
    note: 'arrived',
    tone: 'good',
  },
  {
    name: 'bounced',
    title: 'Bounced',
    states: ['bounced', 'complained'],
    note: 'none came back',
    tone: 'bad',
  },
  {
    name: 'stopped',
    title: 'Not sent',
    states: ['suppressed', 'cancelled'],
    note: 'none withheld',
    tone: 'idle',
  },
  {
    name: 'stuck',
    title: 'Need you',
    states: ['parked', 'unknown'],
    note: 'nothing to decide',
    tone: 'bad',
  },
]

export function sum(counts: MailCounts, states: readonly DeliveryState[]): number {
  return states.reduce((total, state) => total + counts[state], 0)
}

/** "9 queued, 3 failed"; the note of the group while there is nothing to tell apart. */
export function breakdown(group: MailGroup, counts: MailCounts): string {
  const parts = group.states.filter((state) => counts[state] > 0)
  if (group.states.length === 1 || parts.length === 0) return group.note
  return parts.map((state) => `${counts[state].toLocaleString('en')} ${state}`).join(', ')
}

/** The group whose states are asked for, or some of them; null for all mails or a mix. */
export function groupOf(states: readonly DeliveryState[]): MailGroup | null {
  if (states.length === 0) return null
  return groups.find((group) => states.every((state) => group.states.includes(state))) ?? null
}
