import type { DeliveryCounts } from '../courier/delivery.ts'

export type MailSummary = { queued: number; sent: number; parked: number }

/** In three words: what waits, what Resend has, and what a person has to look at. */
export function summaryOf(counts: DeliveryCounts): MailSummary {
  return {
    queued: counts.queued + counts.sending + counts.failed,
    sent: counts.sent + counts.delivered + counts.bounced + counts.complained,
    parked: counts.parked + counts.unknown,
  }
}
