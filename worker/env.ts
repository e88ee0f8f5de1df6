import type { Doorkeeper } from './doors/doorkeeper.ts'
import type { Keyring } from './doors/keyring.ts'
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
  DOORKEEPER: DurableObjectNamespace<Doorkeeper>
  KEYRING: DurableObjectNamespace<Keyring>
  ASSETS: Fetcher
  /** The edge's own counter of requests, by address; not exact. */
  EDGE_LIMIT?: RateLimit

  /** Secret. The database for the HTTP driver; on Neon the pooled address is fine here. */
  DATABASE_URL: string
  /** Local run only: a Neon HTTP endpoint to use instead of the one the address implies. */
  NEON_ENDPOINT?: string

  /** Secret. Shared with the listener; while rotating, the old one stands in the second. */
  LINK_SECRET: string
  LINK_SECRET_PREVIOUS?: string
  /** Secret. Opens everything but /api/me; while rotating, the old one stands in the second. */
  ADMIN_TOKEN?: string
  ADMIN_TOKEN_PREVIOUS?: string
  /** Secret. Signs tokens with HS256; while rotating, the old one stands in the second. */
  AUTH_SECRET?: string
  AUTH_SECRET_PREVIOUS?: string
  /** The key set of an identity provider, instead of or beside AUTH_SECRET: an https address. */
  AUTH_JWKS_URL?: string
  /** What `iss` and `aud` of a token must be. With AUTH_JWKS_URL both must be set. */
  AUTH_ISSUER?: string
  AUTH_AUDIENCE?: string
  /** The claim that holds the scopes, as text with spaces or as a list; `scope` if not given. */
  AUTH_SCOPE_CLAIM?: string
  /** What whoever sends no credentials may do, with spaces between; nothing if not given. */
  ANONYMOUS_SCOPES?: string
  /** Pages of other sites that may call the API: origins, separated by commas. */
  ALLOWED_ORIGINS?: string
  /** Requests in 10 s: of an address without credentials, of a user, of a key or another token. 0: no limit. */
  RATE_LIMIT_ANYONE?: string
  RATE_LIMIT_USER?: string
  RATE_LIMIT_STAFF?: string

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
