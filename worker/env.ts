import type { Feed } from './feed/feed.ts'
import type { Inbox } from './inbox/inbox.ts'
import type { Mailer } from './mail/mailer.ts'
import type { Shard } from './shard/shard.ts'
import type { WebhookSender } from './webhooks/sender.ts'

/** What wrangler.toml binds and `wrangler secret put` sets. Secrets are marked. */
export type Env = {
  FEED: DurableObjectNamespace<Feed>
  SHARD: DurableObjectNamespace<Shard>
  MAILER: DurableObjectNamespace<Mailer>
  WEBHOOKS: DurableObjectNamespace<WebhookSender>
  INBOX: DurableObjectNamespace<Inbox>
  ASSETS: Fetcher

  /** Secret. The database for the HTTP driver; on Neon the pooled address is fine here. */
  DATABASE_URL: string
  /** Local run only: a Neon HTTP endpoint to use instead of the one the address implies. */
  NEON_ENDPOINT?: string

  /** Secret. Shared with the listener; while rotating, the old one stands in the second. */
  LINK_SECRET: string
  LINK_SECRET_PREVIOUS?: string
  /** Secret. Bearer token of the admin routes. */
  ADMIN_TOKEN?: string
  /** Secret. Signs the tokens of users; while rotating, the old one stands in the second. */
  AUTH_SECRET?: string
  AUTH_SECRET_PREVIOUS?: string

  /** Secret. */
  RESEND_API_KEY?: string
  /** Local run only: the stand-in's address. */
  RESEND_BASE_URL?: string
  MAIL_FROM?: string
  /** Who is told of every filled order: addresses, separated by commas. */
  ALERT_RECIPIENTS?: string
  /** At most so many mails in one request, 1 to 100; 100 if not given. */
  MAIL_BATCH?: string
  /** Secret. Of Resend's webhook; while rotating, the old one stands in the second. */
  RESEND_WEBHOOK_SECRET?: string
  RESEND_WEBHOOK_SECRET_PREVIOUS?: string
  /** Where people reach this worker: links in mails begin with it. Without it there are none. */
  PUBLIC_URL?: string

  /** Shards in each region; a subscriber lands on one of them. */
  SHARDS_PER_REGION?: string
  /** The log keeps at most so many changes, and none older than so many days. */
  LOG_MAX_CHANGES?: string
  LOG_MAX_DAYS?: string
}
