import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import type { Notification } from '../../protocol/notification.ts'
import type { Inbox } from '../../worker/inbox/inbox.ts'
import type { Random } from '../simulation/random.ts'
import { bindings } from './link.ts'
import { ScheduleDatabase } from './schedule-database.ts'

/** Far ahead, so that no alarm rings but when this world says so. */
const BEGIN = Date.parse('2040-01-01T00:00:00Z')
const MOST_OFF_MS = 8_000
/** The platform rings within a while of the time. */
const RINGS_LATE_MS = 1_000
const FEED = 'the feed of the tests'

/** Inboxes before a database, each with a clock that is off by seconds; time is in their hand. */
export class ScheduleWorld {
  readonly database = new ScheduleDatabase(BEGIN)
  readonly #random: Random
  /** User's id → by how much the clock of the user's object is off. */
  readonly #off = new Map<number, number>()
  /** User's id → when the alarm rings, by the database's clock. */
  readonly #rings = new Map<number, number>()

  constructor(random: Random) {
    this.#random = random
  }

  /** @param user hears what the feed owes it, sometimes all of it twice */
  async hear(user: number): Promise<void> {
    const changes = this.database.take(user)
    const times = this.#random.chance(0.1) ? 2 : 1
    await this.#at(user, async (inbox) => {
      for (let n = 0; n < times; n++) await inbox.hear(changes, FEED)
    })
  }

  /** Another machine has it now, with another clock. */
  async evict(user: number): Promise<void> {
    this.#off.set(user, this.#randomOff())
    await evictDurableObject(this.#stub(user)).catch(() => undefined)
  }

  read(user: number): Promise<Notification[]> {
    const request = { listing: 'all', category: null, before: null, limit: 100 } as const
    return this.#at(user, async (inbox) => {
      const page = await inbox.page(request, FEED)
      if (page.kind !== 'page') throw new Error(`user ${user} is shown ${page.kind}`)
      return page.notifications
    })
  }

  /** When the next alarm rings, by the database's clock. */
  get nextRing(): number {
    return Math.min(...this.#rings.values())
  }

  /** Those whose alarms are due ring, in any order. @returns whose they are */
  async ring(): Promise<number[]> {
    const due = [...this.#rings].filter(([, at]) => at <= this.database.now).map(([user]) => user)
    const mixed = due.map((user) => ({ user, at: this.#random.next() })).sort((a, b) => a.at - b.at)
    for (const { user } of mixed) {
      await this.#at(user, async (inbox, storage) => {
        // As the platform does: while it rings, there is none.
        await storage.deleteAlarm()
        await inbox.alarm()
      })
    }
    return due
  }

  async #at<T>(
    user: number,
    work: (inbox: Inbox, storage: DurableObjectStorage) => Promise<T>,
  ): Promise<T> {
    const off = this.#off.get(user) ?? this.#randomOff()
    this.#off.set(user, off)
    vi.setSystemTime(this.database.now + off)
    const { result, alarm } = await runInDurableObject(
      this.#stub(user),
      async (inbox: Inbox, { storage }) => ({
        result: await work(inbox, storage),
        alarm: await storage.getAlarm(),
      }),
    )
    if (alarm === null) this.#rings.delete(user)
    else this.#rings.set(user, alarm - off + this.#random.below(RINGS_LATE_MS))
    return result
  }

  #stub(user: number) {
    return bindings.INBOX.getByName(String(user))
  }

  #randomOff(): number {
    return this.#random.below(2 * MOST_OFF_MS) - MOST_OFF_MS
  }
}
