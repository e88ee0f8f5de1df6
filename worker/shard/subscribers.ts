import { type Limits, limitsFor } from './limits.ts'
import type { Subscriber } from './subscriber.ts'

/** Everyone who is there, live or being caught up, and what each may be sent ahead. */
export class Subscribers {
  readonly #byId = new Map<string, Subscriber>()
  #acking = 0
  limits: Limits = limitsFor(0, 0)

  get isEmpty(): boolean {
    return this.#byId.size === 0
  }

  /** Whose close event was missed. */
  get closed(): Subscriber[] {
    return [...this.#byId.values()].filter(({ isOpen }) => !isOpen)
  }

  /** Those whose sockets are open. */
  *open(): Iterable<Subscriber> {
    for (const subscriber of this.#byId.values()) if (subscriber.isOpen) yield subscriber
  }

  get(id: string): Subscriber | undefined {
    return this.#byId.get(id)
  }

  add(subscriber: Subscriber): void {
    this.#byId.set(subscriber.id, subscriber)
    if (subscriber.acks) this.#acking++
    this.#share()
  }

  /** @returns undefined if it was not there */
  remove(id: string): Subscriber | undefined {
    const subscriber = this.#byId.get(id)
    if (subscriber === undefined) return undefined
    this.#byId.delete(id)
    if (subscriber.acks) this.#acking--
    this.#share()
    return subscriber
  }

  #share(): void {
    this.limits = limitsFor(this.#acking, this.#byId.size - this.#acking)
  }
}
