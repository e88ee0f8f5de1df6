/** In place of worker/feed/webhook-consumer.ts: no webhook is sent here. */
export function webhookConsumer(): null {
  return null
}
