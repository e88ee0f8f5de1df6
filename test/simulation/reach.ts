/**
 * What a run of many schedules must come upon: a simulation that never sleeps or never fences
 * would keep every promise.
 */
export const worthReaching = [
  'asleep',
  'dozing while a silent writer is open',
  'a ring heard',
  'read ahead',
  'a sweep found something',
  'a rollback',
  'a new session',
  'a leader killed',
  'a standby killed',
  'a leader frozen',
  'a stale leader ended',
  'a listener asked to stop',
  'a lower term refused at its opening',
  'a lower term refused at its batch or pulse',
  'a duplicate dropped',
  'Postgres crashed',
  'asynchronous commits lost in a crash',
  'a socket cut',
  'a socket half open',
  'a socket stalled',
  'a call between objects lost',
  'a drain without a leader',
  'a drain beside a leader',
  'a drain brought what was there',
  'a request of the feed lost',
  'an outbox claimed',
  'an object hibernated',
  'an object reset',
  'a filtered subscriber left behind',
  'a subscriber fell behind',
  'a subscriber closed as too slow',
  'pruned',
  'a new life of the feed',
  'a reset',
  'a beat of the canary',
] as const

/** The last is harmless, and rare: it need not be come upon. */
export type Reachable = (typeof worthReaching)[number] | 'a reset without need'
