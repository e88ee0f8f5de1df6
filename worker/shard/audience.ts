import type { ResetReason } from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'
import { type Subscription, subscriptionKey } from '../../protocol/subscription.ts'
import { changesFrame, Frame, resetFrame } from './frame.ts'
import type { Limits } from './limits.ts'
import { PageText } from './page-text.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * The sockets that hear changes as they happen, grouped by subscription: a frame is filtered and
 * serialised once for a group, however many sockets it has.
 *
 * A group for which nothing matched is told nothing and falls `behind`; its next frame begins
 * where its last one ended. `catchUp` tells it so, with an empty frame, before anyone who stands
 * at the position joins it. A subscriber for whom there is no room is not sent the frame and is no
 * longer of the audience: it is handed out with the position at which it stands.
 */
export class Audience {
  readonly #groups = new Map<string, Group>()
  readonly #keys = new Map<string, string>()
  readonly #limits: () => Limits
  readonly #slow: (subscriber: Subscriber, at: Position) => void
  /** Frames sent, one for each socket. */
  frames = 0

  /** @param slow called with who is handed out; it must not tell anybody anything */
  constructor(limits: () => Limits, slow: (subscriber: Subscriber, at: Position) => void) {
    this.#limits = limits
    this.#slow = slow
  }

  get size(): number {
    return this.#keys.size
  }

  /** @param position where the subscriber stands */
  add(subscriber: Subscriber, position: Position): void {
    const { subscription } = subscriber
    const key = subscriptionKey(subscription)
    const group = this.#groups.get(key) ?? {
      subscription,
      members: new Map(),
      told: position.offset,
    }
    if (group.told < position.offset) this.#tellGroup(group, position, '[]')
    group.members.set(subscriber.id, subscriber)
    this.#groups.set(key, group)
    this.#keys.set(subscriber.id, key)
  }

  remove({ id }: { id: string }): void {
    const key = this.#keys.get(id)
    if (key === undefined) return
    this.#keys.delete(id)
    const group = this.#groups.get(key)
    group?.members.delete(id)
    if (group?.members.size === 0) this.#groups.delete(key)
  }

  /**
   * Everything between the last position and this one.
   * @param changes the text of a JSON array, parsed only if somebody filters
   * @returns whether some group fell behind
   */
  tell(position: Position, changes: string): { behind: boolean } {
    const page = new PageText(changes)
    let behind = false
    for (const group of this.#groups.values()) {
      const wanted = page.heardBy(group.subscription)
      if (wanted === '[]') behind = true
      else this.#tellGroup(group, position, wanted)
    }
    return { behind }
  }

  /** An empty frame to the groups that are behind. */
  catchUp(position: Position): void {
    for (const group of this.#groups.values())
      if (group.told < position.offset) this.#tellGroup(group, position, '[]')
  }

  /** An empty frame to everyone, to say that all is well. */
  beat(position: Position): void {
    for (const group of this.#groups.values()) this.#tellGroup(group, position, '[]')
  }

  reset(reason: ResetReason, position: Position): void {
    const frame = new Frame(resetFrame(reason, position))
    for (const group of this.#groups.values()) {
      group.told = position.offset
      for (const subscriber of group.members.values()) this.#send(subscriber, frame, position)
    }
  }

  #tellGroup(group: Group, position: Position, changes: string): void {
    const { epoch, offset: through } = position
    const after = group.told
    group.told = through
    const frame = new Frame(changesFrame({ epoch, after, through }, changes))
    const limits = this.#limits()
    for (const subscriber of group.members.values()) {
      if (subscriber.room(limits).kind === 'room') this.#send(subscriber, frame, position)
      else {
        this.remove(subscriber)
        this.#slow(subscriber, { epoch, offset: after })
      }
    }
  }

  #send(subscriber: Subscriber, frame: Frame, position: Position): void {
    try {
      subscriber.send(frame, position)
      this.frames++
    } catch {
      // Gone without a close event. It resumes from its own position.
      this.remove(subscriber)
    }
  }
}

type Group = { subscription: Subscription; members: Map<string, Subscriber>; told: number }
