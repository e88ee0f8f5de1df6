import { app } from './app.ts'

export { Doorkeeper } from './doors/doorkeeper.ts'
export { Keyring } from './doors/keyring.ts'
export { Feed } from './feed/feed.ts'
export { Inbox } from './inbox/inbox.ts'
export { Mailer } from './mail/mailer.ts'
export { Shard } from './shard/shard.ts'
export { WebhookSender } from './webhooks/sender.ts'

export default app
