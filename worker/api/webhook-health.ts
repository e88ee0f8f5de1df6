import type { SenderCondition } from '../webhooks/door.ts'

/** @returns how an endpoint fares, as the API has it */
export function healthOf({ health, counts, nextAt, previousUntil }: SenderCondition) {
  const { failing, lastSuccessAt } = health
  const off = health.kind === 'off' ? health : null
  return {
    state: health.kind,
    off_reason: off?.reason ?? null,
    off_since: isoTime(off?.at ?? null),
    failing_since: isoTime(failing?.since ?? null),
    failures: failing?.failures ?? 0,
    last_error: failing?.lastError ?? null,
    last_success_at: isoTime(lastSuccessAt),
    next_at: isoTime(nextAt),
    previous_secret_until: isoTime(previousUntil),
    counts,
  }
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
