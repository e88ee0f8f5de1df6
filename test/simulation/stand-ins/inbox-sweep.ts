/** In place of worker/feed/inbox-sweep.ts: there are no inboxes here. */
export class InboxSweep {
  async run(): Promise<void> {}
}
