import type { Env } from '../env.ts'
import type { LogLimits } from './log.ts'

const MAX_LOG_BYTES = 5e9

/** How far back a reader may resume, as it is set. */
export function logLimits({ LOG_MAX_CHANGES, LOG_MAX_DAYS }: Env): LogLimits {
  return {
    maxChanges: Number(LOG_MAX_CHANGES ?? 1_000_000),
    maxAgeMs: Number(LOG_MAX_DAYS ?? 7) * 86_400_000,
    maxBytes: MAX_LOG_BYTES,
  }
}
