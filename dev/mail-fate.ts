import { isListed } from './switches.ts'

/**
 * What becomes of a mail once Resend has taken it: what it tells of it by webhook, and when.
 * Resend's own test addresses do here what they do there, with any label: `bounced+a@resend.dev`.
 */
export type FateType =
  | 'email.sent'
  | 'email.delivered'
  | 'email.bounced'
  | 'email.complained'
  | 'email.suppressed'

export type Fate = { type: FateType; afterMs: number }

const DELIVERED_MS = 200
const COMPLAINED_MS = 400

const fates = {
  delivered: [
    { type: 'email.sent', afterMs: 0 },
    { type: 'email.delivered', afterMs: DELIVERED_MS },
  ],
  bounced: [
    { type: 'email.sent', afterMs: 0 },
    { type: 'email.bounced', afterMs: DELIVERED_MS },
  ],
  complained: [
    { type: 'email.sent', afterMs: 0 },
    { type: 'email.delivered', afterMs: DELIVERED_MS },
    { type: 'email.complained', afterMs: COMPLAINED_MS },
  ],
  // It never leaves, so it is not even sent.
  suppressed: [{ type: 'email.suppressed', afterMs: 0 }],
} as const satisfies Record<string, readonly Fate[]>

/** @param bounce whose mails come back */
export function fateOf(recipients: readonly string[], bounce: readonly string[]): readonly Fate[] {
  const mailboxes = recipients.map(mailboxOf)
  if (mailboxes.some((mailbox) => isListed(mailbox, bounce))) return fates.bounced
  const tests = mailboxes.map((mailbox) => testAddress.exec(mailbox)?.[1])
  const worst = (['suppressed', 'bounced', 'complained'] as const).find((test) =>
    tests.includes(test),
  )
  return fates[worst ?? 'delivered']
}

const testAddress = /^(delivered|bounced|complained|suppressed)(?:\+[^@]*)?@resend\.dev$/

/** `Ada <Ada@Example.com>` is `ada@example.com`. */
export function mailboxOf(recipient: string): string {
  return (/<([^<>]+)>\s*$/.exec(recipient)?.[1] ?? recipient).trim().toLowerCase()
}

/** What Resend's webhook says more of these. */
export function detailOf(type: FateType): object {
  switch (type) {
    case 'email.bounced':
      return {
        bounce: {
          message:
            "The recipient's email provider sent a hard bounce message, but didn't specify the reason for the hard bounce.",
          subType: 'General',
          type: 'Permanent',
        },
      }
    case 'email.suppressed':
      return {
        suppressed: {
          message:
            'Resend has suppressed sending to this address because it is on the account-level suppression list.',
          type: 'OnAccountSuppressionList',
        },
      }
    default:
      return {}
  }
}
