import type { InboxFrame } from '../../protocol/inbox-frames.ts'
import { micros } from '../../protocol/instant.ts'
import {
  type Counts,
  marks,
  type Notification,
  notificationOf,
} from '../../protocol/notification.ts'
import type { Position } from '../../protocol/position.ts'
import type { InboxDatabase } from './inbox-database.ts'

/** Has read the whole of an inbox once, from Postgres, and applies what it is told since. */
export class InboxReader {
  readonly #database: InboxDatabase
  at: Position
  /** As it was told last; null as long as it was told nothing. */
  counts: Counts | null = null
  #list: Map<number, Notification>

  /** @param at where the inbox stood before the list was read */
  constructor(database: InboxDatabase, at: Position) {
    this.#database = database
    this.at = { epoch: at.epoch, offset: at.offset }
    this.#list = listed(database)
  }

  /** What it shows, in short; what has expired it leaves out by itself. */
  get list(): string[] {
    const now = this.#database.nowMs * 1000
    return inShort(
      [...this.#list.values()].filter(({ expires_at }) => (micros(expires_at) ?? now + 1) > now),
    )
  }

  /** @throws at a hole */
  apply(frame: InboxFrame): void {
    this.counts = frame.counts
    switch (frame.type) {
      case 'hello':
        return
      case 'reset':
        this.at = { epoch: frame.epoch, offset: frame.head }
        this.#list = listed(this.#database)
        return
      case 'notifications':
        if (frame.epoch !== this.at.epoch || frame.after !== this.at.offset)
          throw new Error(`a hole: at ${this.at.offset}, but the frame begins after ${frame.after}`)
        this.at = { epoch: frame.epoch, offset: frame.through }
    }
    for (const mark of marks) {
      const through = frame.all[mark]
      if (through === undefined) continue
      for (const [id, each] of this.#list)
        if (each.delivered_at <= through) this.#list.set(id, { ...each, [mark]: true })
    }
    for (const each of frame.notifications) this.#list.set(each.id, each)
    for (const id of frame.removed) this.#list.delete(id)
  }
}

/** The whole list as Postgres has it, in short. */
export function listInPostgres(database: InboxDatabase): string[] {
  return inShort([...listed(database).values()])
}

function listed(database: InboxDatabase): Map<number, Notification> {
  const { user } = database
  const all = user === null ? [] : database.inbox().map((row) => notificationOf(row, user))
  return new Map(all.map((each) => [each.id, each]))
}

function inShort(list: readonly Notification[]): string[] {
  return list
    .map(({ id, ...each }) => `${id}: ${marks.filter((mark) => each[mark]).join(' ')}`)
    .sort()
}
