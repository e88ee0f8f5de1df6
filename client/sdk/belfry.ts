import type { Row } from '../../protocol/change.ts'
import { type Connection, type ConnectOptions, connectOn } from './connect.ts'
import { type Inbox, type InboxOptions, inboxOn } from './inbox.ts'
import { type Live, type LiveOptions, liveOn } from './live.ts'
import { platform } from './platform.ts'

/*
 * The SDK: `connect` hears changes, `live` holds a table, `inbox` the notifications of a user. The
 * same file serves browsers, where the worker has it at /belfry.js, and Node 24. None of the three
 * gives up: whatever breaks, they come back to where they were, and say so.
 */

export type { Change, Operation, Row, Value } from '../../protocol/change.ts'
export type { ResetReason } from '../../protocol/frames.ts'
export type { Counts, Mark, Notification } from '../../protocol/notification.ts'
export { formatPosition, type Position, parsePosition } from '../../protocol/position.ts'
export type { Connection } from './connect.ts'
export type { ConnectionState } from './connection-state.ts'
export type { Freshness } from './freshness.ts'
export type { Inbox, InboxFreshness, InboxOptions } from './inbox.ts'
export type { Listing } from './inbox-held.ts'
export type { Marking } from './inbox-marks.ts'
export type { Applied, Live, Update } from './live.ts'
export { describe, type Ending, type Loss } from './reasons.ts'
export { rowKey } from './row-key.ts'
export type { Token } from './token.ts'

/** In a browser `url` may be left out: it is then the address that the page came from. */
type Anywhere<Options extends { url: string }> = Omit<Options, 'url'> & { url?: string }

/**
 * Follows the feed from a position, or from now on, across every break. Keep `position` of a
 * callback (it is plain JSON) and give it back to go on after it, in another process too.
 * A callback that throws does not stop it: the error is reported as uncaught.
 * @throws TypeError at once when `url` is not an http(s) address or `token` is empty
 */
export function connect(options: Anywhere<ConnectOptions>): Connection {
  return connectOn(platform, { ...options, url: options.url ?? pageAddress() })
}

/**
 * A watched table as a map that moves with it: a snapshot and every change since. The snapshot is
 * read from the worker, with the table's own key, unless `snapshot` says otherwise.
 * @param table as the feed names it: `orders`, or `shop.orders` outside the schema public
 * @throws TypeError at once when `url` is not an http(s) address or `token` is empty
 */
export function live<T extends object = Row>(
  table: string,
  options: Anywhere<Omit<LiveOptions<T>, 'table'>> = {},
): Live<T> {
  return liveOn<T>(platform, { ...options, table, url: options.url ?? pageAddress() })
}

/**
 * The notifications of one user as a list that moves with them, on every tab and device: the newest
 * of each listing, older ones when asked for, counts, and marks that show at once.
 * @throws TypeError at once when `url` is not an http(s) address or `token` is empty
 */
export function inbox(options: Anywhere<InboxOptions>): Inbox {
  return inboxOn(platform, { ...options, url: options.url ?? pageAddress() })
}

function pageAddress(): string {
  const { location } = globalThis as { location?: { origin: string } }
  if (location && /^https?:/.test(location.origin)) return location.origin
  throw new TypeError('url: which worker? Give its address, such as http://127.0.0.1:8787')
}
