import { CHANGE_BYTES } from '../cost.ts'
import { limits } from '../prices.ts'
import type { Costs } from './costs.ts'
import type { Load, Plan, Region, Span } from './load.ts'

/**
 * What nobody has measured here: where the subscribers are, how long a message travels, how long
 * the vendor's storage takes. Every answer about the vendor's machines stands on these.
 */
export const assumed = {
  /** Shares of the subscribers; one of them where the feed is. */
  regions: [
    { name: 'where the feed is', share: 0.4, feedRttMs: 10 },
    { name: 'across an ocean', share: 0.4, feedRttMs: 90 },
    { name: 'across two', share: 0.2, feedRttMs: 250 },
  ],
  /** From a shard to its subscribers, one way. */
  subscriberMs: 20,
  /** Between listener and feed, there and back. */
  linkRttMs: 10,
  /** Until the vendor's storage has confirmed a write; it is copied to several places before. */
  confirmMs: 10,
  /** How often each subscriber comes again, closed laptops and deploys included. */
  comesADay: 4,
  /** At so many offsets those stand whose sockets were dropped together, within a region. */
  positions: 10,
  /** A subscriber's first try after its socket was dropped comes within so long (client/sdk). */
  returnWithinMs: 250,
} as const

/** A change is to be with 99 of 100 within so long. */
export const WANTED_P99_MS = 1_000
/** A thread that works more of its time than this has no room for a bad moment. */
export const MOST_USE = 0.8
/** Subscribers are spread by chance, so that some shards get more of them than others. */
export const MOST_SOCKETS = Math.floor(limits.sockets.value * 0.9)

/** The product on the vendor's machines, which are taken to be as fast as the one it ran on. */
export function there(costs: Costs): Costs {
  return { ...costs, confirmUs: assumed.confirmMs * 1000 }
}

export function loadOf(changesPerSecond: number, regions: readonly Region[], ownFilters = 0): Load {
  return {
    changesPerSecond,
    bytesPerChange: CHANGE_BYTES,
    arrivals: 'random',
    ownFilters,
    acks: true,
    linkRttMs: assumed.linkRttMs,
    regions,
  }
}

/** One region as far as most are. */
export function oneRegion(subscribers: number): Region[] {
  return [{ subscribers, feedRttMs: 90, subscriberMs: assumed.subscriberMs }]
}

export function allRegions(subscribers: number): Region[] {
  return assumed.regions.map(({ share, feedRttMs }) => ({
    subscribers: subscribers * share,
    feedRttMs,
    subscriberMs: assumed.subscriberMs,
  }))
}

/** Each object with a thread of its own, and the feed calls every shard. */
export function direct(shardsPerRegion: number): Plan {
  return { shardsPerRegion, tree: 'none', calls: Number.POSITIVE_INFINITY, cores: 'each' }
}

/** Few beats of a shard's heart fall into it, and many changes. */
export const SPAN: Span = { seed: 1, warmUpSeconds: 5, seconds: 25 }
/** For what is asked of very many shards. */
export const SHORT_SPAN: Span = { seed: 1, warmUpSeconds: 3, seconds: 12 }
