import { setTimeout as delay } from 'node:timers/promises'
import { type InboxMoved, inboxFrame } from '../../protocol/inbox-frames.ts'
import { micros } from '../../protocol/instant.ts'
import { marks, type Notification } from '../../protocol/notification.ts'
import type { InboxUser } from '../support/inbox-user.ts'
import type { Violations } from './violations.ts'

const RETRY_MS = 300
const LIST_MAX = 100

/**
 * One tab of one user, open all the time: it reads the list once and follows the socket, going on
 * from the position that it has reached (P83). It reads again only when a reset tells it to.
 */
export class Device {
  readonly user: InboxUser
  /** Notification's id → when it was first told of it, in milliseconds since 1970. */
  readonly heard = new Map<number, number>()
  /** Told of again, though no reset came in between. */
  readonly heardAgain: number[] = []
  readonly shown = new Map<number, Notification>()
  connections = 0
  resets = 0
  readonly #violations: Violations
  #position: { epoch: string; after: number } | null = null
  /** What comes while the list is read; null while it is not. */
  #waiting: InboxMoved[] | null = null
  #lists = 0
  #stopped = false
  #close: () => void = () => undefined
  readonly #live = Promise.withResolvers<void>()

  constructor(user: InboxUser, violations: Violations) {
    this.user = user
    this.#violations = violations
  }

  /** @returns once it has read the list and follows it */
  start(): Promise<void> {
    void this.#keepConnected()
    return this.#live.promise
  }

  stop(): void {
    this.#stopped = true
    this.#close()
  }

  async #keepConnected(): Promise<void> {
    while (!this.#stopped) {
      await this.#connection()
      await delay(RETRY_MS)
    }
  }

  #connection(): Promise<void> {
    const position = this.#position
    const query = position ? { epoch: position.epoch, after: String(position.after) } : {}
    const socket = this.user.socket(query)
    this.#close = () => socket.terminate()
    return new Promise((resolve) => {
      socket.once('close', resolve)
      socket.on('error', () => undefined)
      socket.on('message', (text) => this.#hear(String(text)))
    })
  }

  #hear(text: string): void {
    const frame = inboxFrame.parse(JSON.parse(text))
    if (frame.type === 'notifications') return this.#move(frame)
    if (frame.type === 'hello') {
      this.connections++
      if (this.#position) return
      this.#position = { epoch: frame.epoch, after: frame.after }
    } else {
      this.resets++
      this.#position = { epoch: frame.epoch, after: frame.head }
    }
    void this.#readAgain()
  }

  #move(frame: InboxMoved): void {
    const { epoch, after, through, notifications } = frame
    const stands = this.#position
    if (epoch !== stands?.epoch || after !== stands.after)
      this.#violations.add(
        'P83',
        `user ${this.user.id} stands at ${JSON.stringify(stands)} and was told what follows ${epoch}:${after}`,
      )
    this.#position = { epoch, after: through }
    for (const { id } of notifications) {
      if (!this.heard.has(id)) this.heard.set(id, Date.now())
      else if (this.resets === 0) this.heardAgain.push(id)
    }
    if (this.#waiting) this.#waiting.push(frame)
    else this.#apply(frame)
  }

  /** What a frame says is as new as the list or newer, or is said again by one that follows. */
  #apply({ all, notifications, removed }: InboxMoved): void {
    for (const mark of marks) {
      const through = micros(all[mark])
      if (through === null) continue
      for (const [id, each] of this.shown)
        if ((micros(each.delivered_at) ?? Number.NaN) <= through)
          this.shown.set(id, { ...each, [mark]: true })
    }
    for (const each of notifications) this.shown.set(each.id, each)
    for (const id of removed) this.shown.delete(id)
  }

  async #readAgain(): Promise<void> {
    const turn = ++this.#lists
    this.#waiting = []
    while (!this.#stopped) {
      const page = await this.user.list(LIST_MAX).catch(() => null)
      // Another reset came meanwhile, and reads it by itself.
      if (turn !== this.#lists) return
      if (page) {
        this.shown.clear()
        for (const each of page.notifications) this.shown.set(each.id, each)
        for (const frame of this.#waiting ?? []) this.#apply(frame)
        this.#waiting = null
        this.#live.resolve()
        return
      }
      await delay(RETRY_MS)
    }
  }
}
