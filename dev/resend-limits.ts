import type { Switches } from './switches.ts'

/** Resend's limits: requests a second, for the whole team, and mails a day. */
export type RateLimit = {
  /** Counts a request. @returns whether it is allowed, and the headers of its answer */
  count(switches: Switches): { allowed: boolean; headers: Record<string, string> }
}

const WINDOW_MS = 1_000
/** Whole seconds, and never less than one. */
const RESET_S = '1'

export function rateLimit(): RateLimit {
  let endsAt = 0
  let used = 0

  return {
    count({ provider, requests_per_second }) {
      const refuses = provider === 'too-many'
      const limit = requests_per_second ?? (refuses ? 1 : null)
      if (limit === null) return { allowed: true, headers: {} }
      const now = performance.now()
      if (now >= endsAt) {
        endsAt = now + WINDOW_MS
        used = 0
      }
      used += 1
      const allowed = used <= limit && !refuses
      return {
        allowed,
        headers: {
          'ratelimit-limit': String(limit),
          'ratelimit-policy': `${limit};w=1`,
          'ratelimit-remaining': String(allowed ? limit - used : 0),
          'ratelimit-reset': RESET_S,
          ...(allowed ? {} : { 'retry-after': RESET_S }),
        },
      }
    },
  }
}

/** When the day of a quota began, in UTC. */
export function startOfDay(now: number): number {
  return new Date(now).setUTCHours(0, 0, 0, 0)
}
