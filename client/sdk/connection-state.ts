import type { Life } from './lifecycle.ts'
import type { Ending, Loss } from './reasons.ts'

export type ConnectionState =
  /** `attempt` counts from 1, and from 1 again after a connection that held. */
  | { state: 'connecting'; attempt: number }
  /** `hello` was heard. `since` in milliseconds since 1970. */
  | { state: 'live'; since: number }
  /** The next attempt follows in `retryInMs`, counted from when this was said. */
  | { state: 'waiting'; attempt: number; retryInMs: number; reason: Loss }
  /** For good. */
  | { state: 'closed'; reason: Ending }

export function publicState(life: Life): ConnectionState {
  switch (life.state) {
    case 'asking':
    case 'connecting':
      return { state: 'connecting', attempt: life.attempt }
    case 'live':
      return { state: 'live', since: life.since }
    case 'waiting': {
      const { attempt, retryInMs, reason } = life
      return { state: 'waiting', attempt, retryInMs, reason }
    }
    case 'closed':
      return { state: 'closed', reason: life.reason }
  }
}

/** Whether there is something to say. */
export function isNews(before: Life, after: Life): boolean {
  const [was, is] = [publicState(before), publicState(after)]
  if (was.state !== is.state) return true
  return was.state === 'connecting' && is.state === 'connecting' && was.attempt !== is.attempt
}
