/** In place of worker/feed/inbox-readers.ts: there are no inboxes here. */
export function inboxReaders(): object {
  return {}
}
