import type { Owed } from '../courier/delivery.ts'
import { recipients } from '../mail/recipients.ts'
import type { Endpoint } from './endpoint.ts'
import { NO_RULE } from './owed.ts'

/** Somebody is to be told: the endpoint switched itself off, after it had failed since then. */
export type Notice = { id: string; since: number; lastError: string }

/**
 * The mail that says an endpoint switched itself off, to everyone in ALERT_RECIPIENTS. The notice
 * has a UUID of its own, in the place of a change's: however often it is handed over, it is one.
 */
export function noticeMails(
  notice: Notice,
  { id, url }: Pick<Endpoint, 'id' | 'url'>,
  alertRecipients: string | undefined,
): Owed[] {
  const body = JSON.stringify({
    template: 'webhook-off',
    audience: 'staff',
    category: 'webhooks',
    data: {
      endpoint: id,
      url: withoutQuery(url),
      since: new Date(notice.since).toISOString(),
      last_error: notice.lastError,
    },
  })
  return recipients(alertRecipients).map((recipient) => ({
    rule: NO_RULE,
    ruleName: 'webhook-off',
    change: notice.id,
    table: 'webhook_endpoints',
    key: id,
    recipient,
    body,
  }))
}

/** What follows the ? is often a password. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, '')
}
