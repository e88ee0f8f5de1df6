/** What is asked of the system. */
export type Load = {
  changesPerSecond: number
  bytesPerChange: number
  /** Evenly, as the bench writes, or as chance has it. */
  arrivals: 'even' | 'random'
  /** The share of subscribers who each have a filter of their own, which matches next to nothing. */
  ownFilters: number
  /** Whether subscribers acknowledge what they have taken in, as the SDK does. */
  acks: boolean
  /** From the listener to the feed and back. */
  linkRttMs: number
  regions: readonly Region[]
}

export type Region = {
  subscribers: number
  /** From the feed to here and back. */
  feedRttMs: number
  /** From a shard here to its subscribers, one way. */
  subscriberMs: number
}

/** How it is laid out. */
export type Plan = {
  shardsPerRegion: number
  /**
   * Whom the feed calls: every shard; or, in each region, one relay, which calls so many others,
   * and those so many, until all shards are called.
   */
  tree: 'none' | { each: number }
  /** Calls that one object may have under way at once. */
  calls: number
  /** The vendor gives each object a thread of its own; on one machine they may share one. */
  cores: 'one' | 'each'
}

/** How long it is watched, and which chance decides. */
export type Span = { seed: number; warmUpSeconds: number; seconds: number }

export type Outcome = {
  /** From the write to the subscriber; null when nothing arrived. */
  p50Ms: number | null
  p99Ms: number | null
  /** Age, at the end, of the oldest change that some shard has not told. */
  lagMs: number
  /** The share of its time that it works; of relays and shards, the busiest. */
  feedUse: number
  relayUse: number
  shardUse: number
  batchesPerSecond: number
  /** Changes that the slowest shard told. */
  toldPerSecond: number
  /** Calls from object to object. */
  callsPerSecond: number
  /** Acknowledgements that the shard with most sockets hears. */
  acksPerSecond: number
  /** Frames that one shard sends to each of its sockets, heartbeats left out. */
  framesPerSecond: number
}
