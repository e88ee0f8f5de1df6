import type { Env } from '../env.ts'
import type { Consumer } from './consumer.ts'
import { type InboxReaders, inboxConsumer } from './inbox-consumer.ts'
import { inboxesOf } from './inboxes.ts'
import { mailConsumer } from './mail-consumer.ts'
import { MissedInboxes } from './missed-inboxes.ts'
import { noticeConsumer } from './notice-consumer.ts'
import { webhookConsumer } from './webhook-consumer.ts'

/** Everyone who reads the feed with a durable offset of their own. */
export function durableConsumers(env: Env, sql: SqlStorage, readers: InboxReaders): Consumer[] {
  return [
    mailConsumer(env, sql),
    webhookConsumer(env, sql),
    noticeConsumer(env, sql),
    inboxConsumer({ inboxes: inboxesOf(env), missed: new MissedInboxes(sql), readers }),
  ]
}
