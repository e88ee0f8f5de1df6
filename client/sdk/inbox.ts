/// <reference lib="esnext.disposable" />
import { fullJitter } from '../../protocol/backoff.ts'
import type { Counts, Mark, Notification } from '../../protocol/notification.ts'
import { bearerRequests } from './bearer-requests.ts'
import type { ConnectionState } from './connection-state.ts'
import { type Held, holdFrame, holdPage, type Listing, listed, nothingHeld } from './inbox-held.ts'
import { InboxMarks, type Marking } from './inbox-marks.ts'
import { countsWith, withPending } from './inbox-pending.ts'
import { type InboxReader, readInbox } from './inbox-reader.ts'
import { frameFrom, type InboxPage, pageFrom } from './inbox-wire.ts'
import type { Platform } from './platform.ts'
import { type QuietSocket, quietSocketOn } from './quiet-socket.ts'
import { Denied, Refusal } from './request-failures.ts'
import { workerAddress } from './subscribe-address.ts'
import type { Token } from './token.ts'

/*
 * Law. The worker is authoritative; what is shown here ends equal to it. Proof:
 *
 * 1. The list is read first, and says its position; the socket begins there, so nothing lies
 *    between. After a break the socket asks from where it stood; what cannot be served so is said
 *    (`reset`), and the list is read again, while the old one stays to be looked at.
 * 2. Frames that arrive while a page is read are held at once, and once more after the page: a frame
 *    has what moved as it is now, so the last one about a notification decides.
 * 3. A mark is shown at once and goes out in the order of asking, one after the other. What is
 *    refused is taken back, and `done` fails with a sentence.
 */

export type InboxOptions = {
  /** Base address of the worker. */
  url: string
  /**
   * Whose inbox: the user's token, or a function that gives one, asked anew before every attempt to
   * connect, when one was refused, and before a session ends. It goes in a header; a socket is
   * opened with a ticket.
   */
  token: Token
  /** Notifications a page, 1 to 100; 20 if not given. */
  pageSize?: number
  /** After each change of anything that this store shows; the same as `subscribe`. */
  onUpdate?(): void
  /** A notification was delivered just now, or while we were not connected. */
  onNotification?(notification: Notification): void
}

/** How far the list can be trusted. */
export type InboxFreshness =
  /** Nothing to show yet. */
  | { state: 'loading' }
  | { state: 'current' }
  /** The list of before is shown until a new one is there. */
  | { state: 'reloading' }
  /** It could not be read; the next attempt follows in `retryInMs` milliseconds. */
  | { state: 'failing'; retryInMs: number; error: Error }
  /** The token was refused for good, or `close()` was called. */
  | { state: 'closed'; error: Error | null }

export type Inbox = {
  readonly counts: Counts
  readonly freshness: InboxFreshness
  readonly connection: ConnectionState
  /** What was read of a listing, `active` if not given, newest first: a new array at each change. */
  list(listing?: Listing): readonly Notification[]
  /** Whether there is more than `list` has; true also of a listing that was never asked for. */
  hasOlder(listing?: Listing): boolean
  /**
   * Reads the next page of a listing.
   * @throws Error with a sentence for a person
   */
  older(listing?: Listing): Promise<void>
  /** The list is being looked at: nothing of it is unseen any more. One write, however long it is. */
  open(): Marking
  /** @param to false takes the mark back */
  mark(id: number, mark: Mark, to?: boolean): Marking
  /** Everything in the inbox up to the newest held here, also what was not read here. */
  markAll(mark: Mark): Marking
  /** @returns a function that ends it */
  subscribe(listener: () => void): () => void
  /** At once, from where we are. */
  reconnect(): void
  /** For good: the list stays as it is. */
  close(): void
  [Symbol.dispose](): void
}

const BACKOFF = { baseMs: 250, capMs: 10_000 }
const PAGE_SIZE = 20
/** Notifications held beside those of the pages that were asked for; more begin the list anew. */
const MOST_ARRIVED = 500

/** @throws TypeError at once when `url` is not an http(s) address or `token` is empty */
export function inboxOn(world: Platform, options: InboxOptions, fetchIt?: typeof fetch): Inbox {
  const requests = bearerRequests(options, fetchIt)
  const listeners = new Set<() => void>()
  if (options.onUpdate) listeners.add(() => options.onUpdate?.())
  let held: Held = nothingHeld()
  let shown: ReadonlyMap<number, Notification> = held.notifications
  const lists = new Map<Listing, readonly Notification[]>()
  let freshness: InboxFreshness = { state: 'loading' }
  let reader: InboxReader | null = null
  let socket: QuietSocket | null = null
  let run = 0
  let reading: Promise<void> = Promise.resolve()
  let cancelRetry: (() => void) | null = null
  /** One list for each page that is being read: the frames since it was asked for. */
  const underWay = new Set<Parameters<typeof holdFrame>[1][]>()
  const giveUp = new AbortController()
  const marking = new InboxMarks(requests, { held: () => held, moved: changed })
  void reload(1)

  return {
    get counts() {
      return countsWith(held.counts, held.notifications, shown, marking.pending)
    },
    get freshness() {
      return freshness
    },
    get connection() {
      return socket?.state ?? { state: 'connecting', attempt: 1 }
    },
    list(listing = 'active') {
      const list = lists.get(listing) ?? listed(held, listing, shown.values())
      lists.set(listing, list)
      return list
    },
    hasOlder: (listing = 'active') => held.reaches.get(listing)?.cursor !== null,
    older,
    open: () => marking.open(),
    mark: (id, mark, to = true) => marking.mark(id, mark, to),
    markAll: (mark) => marking.markAll(mark),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reconnect() {
      if (freshness.state === 'failing') void reload(1)
      socket?.reconnect()
    },
    close,
    [Symbol.dispose]: close,
  }

  /** Every listing that was read, from its newest on. A later one takes the place of an earlier. */
  function reload(attempt: number): Promise<void> {
    if (freshness.state === 'closed') return Promise.resolve()
    cancelRetry?.()
    if (freshness.state === 'current') freshness = { state: 'reloading' }
    reading = readAnew(++run, attempt)
    changed()
    return reading
  }

  async function readAnew(mine: number, attempt: number): Promise<void> {
    const next = nothingHeld()
    const since: Parameters<typeof holdFrame>[1][] = []
    underWay.add(since)
    try {
      const first = await readPage('active', null)
      holdPage(next, 'active', first)
      for (const listing of held.reaches.keys())
        if (listing !== 'active') holdPage(next, listing, await readPage(listing, null))
      if (mine !== run) return
      for (const frame of since) holdFrame(next, frame)
      held = next
      marking.reloaded()
      freshness = { state: 'current' }
      if (socket === null) connect(first)
      changed()
    } catch (error) {
      if (mine === run) failed(error, attempt)
    } finally {
      underWay.delete(since)
    }
  }

  function failed(error: unknown, attempt: number) {
    if (freshness.state === 'closed') return
    const why = error instanceof Error ? error : new Error(String(error))
    if (error instanceof Denied) return end(why)
    const asked = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0
    const retryInMs = asked + fullJitter(attempt, BACKOFF, world.random())
    freshness = { state: 'failing', retryInMs, error: why }
    cancelRetry = world.timer(retryInMs, () => void reload(attempt + 1))
    changed()
  }

  async function older(listing: Listing = 'active'): Promise<void> {
    await reading
    const [mine, cursor] = [run, held.reaches.get(listing)?.cursor]
    if (cursor === null || freshness.state === 'closed') return
    const since: Parameters<typeof holdFrame>[1][] = []
    underWay.add(since)
    try {
      const page = await readPage(listing, cursor ?? null)
      // Of a list that was begun anew meanwhile, it is no page.
      if (mine !== run || held.reaches.get(listing)?.cursor !== cursor) return
      const { counts } = held
      holdPage(held, listing, page)
      held.counts = counts
      for (const frame of since) holdFrame(held, frame)
      changed()
    } finally {
      underWay.delete(since)
    }
  }

  async function readPage(listing: Listing, cursor: string | null): Promise<InboxPage> {
    const query = new URLSearchParams({ listing, limit: String(options.pageSize ?? PAGE_SIZE) })
    if (cursor !== null) query.set('cursor', cursor)
    const asking = { signal: giveUp.signal }
    const page = pageFrom(await requests.request('GET', `api/me/notifications?${query}`, asking))
    if (page === null) throw new Error('the worker answered something else than an inbox')
    return page
  }

  function connect(first: InboxPage) {
    reader = { state: 'greeting', position: first.position }
    socket = quietSocketOn(world, {
      address: socketAddress,
      door: { requests, topic: 'notifications' },
      hear,
      onState(state) {
        if (reader && state.state !== 'live') reader = { ...reader, state: 'greeting' }
        if (state.state === 'closed' && state.reason.kind === 'refused')
          end(new Error(state.reason.detail || 'the worker refused the connection'))
        else changed()
      },
    })
  }

  function socketAddress(): URL {
    const address = workerAddress(options.url, 'api/me/notifications/ws')
    address.protocol = address.protocol.replace('http', 'ws')
    if (reader) {
      address.searchParams.set('epoch', reader.position.epoch)
      address.searchParams.set('after', String(reader.position.offset))
    }
    return address
  }

  function hear(data: unknown) {
    if (reader === null) return
    const heard = frameFrom(data)
    if (heard.type === 'refreshed') return socket?.sessionTold(heard.expires_in_ms)
    const [next, effects] = readInbox(reader, heard)
    reader = next
    for (const effect of effects) {
      if (effect.do === 'lose') socket?.lose(effect.reason)
      else if (effect.do === 'greet') {
        held.counts = effect.counts
        socket?.greeted()
      } else if (effect.do === 'reset') void reload(1)
      else {
        for (const since of underWay) since.push(effect.frame)
        const arrived = holdFrame(held, effect.frame)
        marking.told(effect.frame)
        if (held.notifications.size > held.paged + MOST_ARRIVED && freshness.state === 'current')
          void reload(1)
        changed()
        for (const each of arrived) call(() => options.onNotification?.(each))
      }
    }
    if (heard.type === 'hello') socket?.sessionTold(heard.expires_in_ms ?? null)
    changed()
  }

  function changed() {
    shown = withPending(held.notifications, marking.pending)
    lists.clear()
    // A copy: one that subscribes now sees what there is, and hears of what follows.
    for (const listener of [...listeners]) call(listener)
  }

  function call(callback: () => void) {
    try {
      callback()
    } catch (error) {
      world.report(error)
    }
  }

  function end(error: Error | null) {
    if (freshness.state === 'closed') return
    freshness = { state: 'closed', error }
    cancelRetry?.()
    giveUp.abort()
    socket?.close()
    changed()
  }

  function close() {
    listeners.clear()
    end(null)
  }
}
