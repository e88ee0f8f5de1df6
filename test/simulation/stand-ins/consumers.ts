/** In place of worker/feed/consumers.ts, which has tests of its own: nobody else reads the feed. */
export class Consumers {
  readonly slowest = 0
  readonly nextRetryAt = null

  async run(): Promise<void> {}

  restart(): void {}
}
