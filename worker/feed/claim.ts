import type { Life } from './life.ts'

/**
 * Whether the feed may take changes from an outbox by itself.
 *
 * What is deleted from an outbox is lost to every other feed, and no listener's lock stands
 * between two feeds that both drain. So a feed takes only from the database that its log is of
 * (P22), and only if no other feed is fed from there: a worker under test with the same
 * DATABASE_URL, or one that has been moved away from, would take changes from the real one.
 *
 * Authoritative is the database: each leader writes into its row of `belfry.terms` which feed has
 * welcomed it, and the newest of these rows counts. Where no leader was welcomed by any, the feed
 * first takes term 0 there, which only one can have.
 */
export type Owner = {
  /** Which database this is. */
  source: string
  /** The epoch of the feed that it was last linked to; '' if that was not written down yet. */
  feed: string | null
}

export type Claim = { kind: 'ours' } | { kind: 'nobodys' } | { kind: 'refused'; error: string }

/** @param earlier epochs that this feed had before: its `belfry feed reset` changes nothing here */
export function claim({ source, feed }: Owner, life: Life, earlier: readonly string[]): Claim {
  const isSource = life.source === source
  if (life.source !== null && !isSource) return refused(OTHER_SOURCE)
  if (feed === life.epoch || (feed && earlier.includes(feed))) return { kind: 'ours' }
  if (feed === null || (feed === '' && isSource)) return { kind: 'nobodys' }
  return refused(OTHER_FEED)
}

const OTHER_SOURCE =
  'DATABASE_URL leads to another database than the one this feed is the log of. Set the listener’s, or, if the change is meant, begin anew: npm run belfry -- feed reset --yes'
const OTHER_FEED =
  'This database’s listener was last linked to another feed. If its changes belong here, start a listener with this worker’s address as FEED_URL; until then they are left to that feed.'

function refused(error: string): Claim {
  return { kind: 'refused', error }
}
