import type { DeliveryCounts } from '../../worker/courier/delivery.ts'
import { type MailSummary, summaryOf } from '../../worker/mail/summary.ts'

/** How many mails wait, are sent and are parked in a mailer. */
export async function summaryIn(mailer: {
  counts(): PromiseLike<DeliveryCounts>
}): Promise<MailSummary> {
  return summaryOf(await mailer.counts())
}
