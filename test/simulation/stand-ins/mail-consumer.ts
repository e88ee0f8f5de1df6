/** In place of worker/feed/mail-consumer.ts: no mail is sent here. */
export function mailConsumer(): null {
  return null
}
