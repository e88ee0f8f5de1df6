import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { Change } from '../../protocol/change.ts'
import { bindings, openLink, orderChange, startAfresh, type TestLink } from './link.ts'
import { OutboxStandIn } from './outbox-stand-in.ts'
import { worker } from './subscriber.ts'

export const feed = () => bindings.FEED.getByName('main')

/** What the tests of the drain share: the date in their hand, and a database behind HTTP. */
export class DrainWorld {
  #outbox: OutboxStandIn | null = null

  /** Call it in a test file. */
  static begin(): DrainWorld {
    const world = new DrainWorld()
    beforeEach(() => {
      // Only the date: what the runtime waits for goes on as it is.
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.spyOn(console, 'warn').mockImplementation(() => undefined)
      world.#outbox = new OutboxStandIn()
    })
    afterEach(async () => {
      vi.useRealTimers()
      vi.restoreAllMocks()
      await startAfresh()
    })
    return world
  }

  get outbox(): OutboxStandIn {
    if (!this.#outbox) throw new Error('a world is there once its hooks have run')
    return this.#outbox
  }

  /** A listener was there, and its link has closed. */
  async afterListener(term = 3): Promise<void> {
    const link = await openLink(term)
    await link.deliver([orderChange()])
    await this.recordFeed()
    await close(link)
  }

  /** As the leader does once it is welcomed. */
  async recordFeed(): Promise<void> {
    this.outbox.feed = (await feed().attend('enam-0', 0)).epoch
  }
}

/** So much later, the alarm rings. */
export async function later(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms)
  await runDurableObjectAlarm(feed())
}

export async function status() {
  return (await worker.fetch('http://belfry.test/api/status')).json<{
    head: number
    listener: { present: boolean }
    drain: { by: string; error?: string | null; since?: string; last_at?: string }
    consumers: { behind: number }[]
  }>()
}

export async function log(): Promise<Change[]> {
  const response = await worker.fetch('http://belfry.test/api/changes?after=0')
  return (await response.json<{ changes: Change[] }>()).changes
}

/** A feed that nobody has ever linked to. */
export async function withoutListener(): Promise<void> {
  expect((await status()).drain).toMatchObject({ by: 'nobody', error: null })
}

export async function close(link: TestLink): Promise<void> {
  link.socket.close()
  await expect.poll(async () => (await status()).listener.present).toBe(false)
}
