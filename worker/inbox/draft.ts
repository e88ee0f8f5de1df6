import type { Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import { columnsOf, isMarked, type Mark, MOST_COUNTED, marks } from '../../protocol/notification.ts'
import {
  type Copy,
  countedIn,
  type Item,
  isExpired,
  isOlder,
  keptIn,
  type Older,
  type Place,
  type Shown,
  STRAYS,
  shown,
  TOMBSTONES,
  WINDOW,
} from './copy.ts'

/** A mark for all is meant for now, if it is no older when it is written. */
const A_MOMENT_US = 1_000_000

/** `heard`: its offset in the feed, 0 if it came another way. */
export type Gone = Pick<Item, 'id' | 'version' | 'heard'>

/**
 * A copy while something is done to it, in one step: whatever moves in the step moves at one offset.
 * What `finish` gives holds the law of copy.ts again.
 */
export class Draft {
  readonly #before: Copy
  readonly items: Map<number, Item>
  user: Row
  floor: Place | null
  older: Older
  isStale: boolean
  readonly #all: Record<Mark, number>
  #tail: number
  #moves = false

  constructor(before: Copy) {
    this.#before = before
    this.items = new Map(before.items)
    this.user = before.user
    this.floor = before.floor
    this.older = before.older
    this.isStale = before.isStale
    this.#all = { ...before.all }
    this.#tail = before.tail
  }

  /** The offset at which this step's moves happen. */
  get offset(): number {
    return this.#before.offset + 1
  }

  /** The counts have moved, or more has than this step can name. */
  move(): void {
    this.#moves = true
  }

  /** What moved cannot be told one by one. */
  moveAll(): void {
    this.move()
    this.#tail = this.offset
  }

  /** The row is news: it stands at that place now. */
  put(row: Row, place: Place, heard: number): void {
    const before = this.items.get(place.id)
    const kind = isOlder(place, this) ? 'stray' : 'kept'
    const since = Math.max(heard, before?.heard ?? 0)
    this.items.set(place.id, shown(row, place, { kind, moved: this.offset, heard: since }))
    if (kind === 'stray') this.isStale = true
    this.move()
  }

  /**
   * It stands in the inbox no more. One that is not known here is told of as well: a reader may have
   * it from Postgres, from before the floor.
   */
  remove({ id, version, heard }: Gone): void {
    const before = this.items.get(id)
    const wasTold = before?.kind === 'gone'
    this.items.set(id, {
      kind: 'gone',
      id,
      moved: wasTold ? before.moved : this.offset,
      version: Math.max(version, before?.version ?? 0),
      heard: Math.max(heard, before?.heard ?? 0),
    })
    if (!wasTold) this.move()
  }

  /** The user's row is now this one. What it says of what lies before the floor is asked. */
  putUser(user: Row): void {
    // In a version that was not heard of, a mark may have come and gone that a reader has seen.
    if (Number(user.version) > Number(this.user.version) + 1) this.moveAll()
    for (const mark of marks) {
      const [was, is] = [micros(this.user[columnsOf[mark].all]), micros(user[columnsOf[mark].all])]
      if (was === is) continue
      if (is === null || (was !== null && is < was)) {
        this.isStale = true
        this.moveAll()
      } else this.#markAll(mark, is, user)
    }
    this.user = user
  }

  expire(now: number): void {
    for (const item of this.items.values())
      if (item.kind !== 'gone' && isExpired(item, now)) this.remove({ ...item, heard: 0 })
    const { expiresAt } = this.older
    if (expiresAt !== null && expiresAt <= now) this.isStale = true
  }

  finish(now: number): Copy {
    this.#lower(now)
    this.#bound('stray', STRAYS)
    this.#bound('gone', TOMBSTONES)
    if (this.floor !== null && keptIn(this.#copy, now).length < WINDOW / 2) this.isStale = true
    return this.#isTouched ? this.#copy : this.#before
  }

  /** Forward, through `through`: who was told so need not be told of each. */
  #markAll(mark: Mark, through: number, user: Row): void {
    this.move()
    this.#all[mark] = this.offset
    // A mark that was taken back later than that stands, so these are told one by one; those that
    // are not known here cannot be.
    for (const item of this.items.values())
      if (item.kind !== 'gone' && item.at <= through && !isMarked(mark, item.row, user))
        this.items.set(item.id, { ...item, moved: this.offset })
    const wroteAt = micros(user.updated_at) ?? Number.POSITIVE_INFINITY
    if (this.floor !== null && through < wroteAt - A_MOMENT_US) this.moveAll()

    const { unseen, unread } = this.older
    if ({ seen: unseen, read: unread, archived: unseen + unread }[mark] === 0) return
    this.isStale = true
    // Right until it is asked, unless one of them was taken back in that moment.
    if (this.floor && through >= this.floor.at)
      this.older = {
        ...this.older,
        unseen: mark === 'read' ? unseen : 0,
        unread: mark === 'seen' ? unread : 0,
      }
  }

  /** More than the window is kept no longer: the floor comes up to it. */
  #lower(now: number): void {
    const kept = keptIn(this.#copy, now)
    const last = kept[WINDOW - 1]
    if (kept.length <= WINDOW || !last) return
    this.floor = { at: last.at, id: last.id }
    for (const item of kept.slice(WINDOW)) this.#letGo(item)
  }

  #letGo(item: Shown): void {
    const { unseen, unread } = countedIn(item.row, this.user)
    const { expiresAt } = this.older
    this.older = {
      unseen: Math.min(MOST_COUNTED, this.older.unseen + unseen),
      unread: Math.min(MOST_COUNTED, this.older.unread + unread),
      expiresAt:
        item.expiresAt === null || unseen + unread === 0
          ? expiresAt
          : Math.min(item.expiresAt, expiresAt ?? item.expiresAt),
    }
    this.leave(item)
  }

  /** It is kept no longer; who resumes may still have to be told of it. */
  leave(item: Shown): void {
    if (item.moved > this.#tail) this.items.set(item.id, { ...item, kind: 'stray' })
    else this.items.delete(item.id)
  }

  /** The longest unmoved are forgotten first, and who has not heard of them must read again. */
  #bound(kind: 'stray' | 'gone', most: number): void {
    const found = [...this.items.values()].filter((item) => item.kind === kind)
    if (found.length <= most) return
    found.sort((a, b) => b.moved - a.moved)
    for (const { id, moved } of found.slice(most)) {
      this.items.delete(id)
      this.#tail = Math.max(this.#tail, moved)
    }
  }

  get #isTouched(): boolean {
    const { items, user, floor, older, isStale } = this.#before
    if (this.#moves || this.isStale !== isStale || this.items.size !== items.size) return true
    if (this.user !== user || this.floor !== floor || this.older !== older) return true
    return [...items.values()].some((item) => this.items.get(item.id) !== item)
  }

  get #copy(): Copy {
    const { offset } = this.#before
    const { items, user, floor, older, isStale } = this
    return {
      ...this.#before,
      ...{ items, user, floor, older, isStale },
      offset: this.#moves ? offset + 1 : offset,
      tail: this.#tail,
      all: this.#all,
    }
  }
}
