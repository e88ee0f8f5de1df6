import type { ListenerState } from '../../protocol/link.ts'

/** What `GET /api/status` answers. */
export type SystemStatus = {
  epoch: string
  head: number
  tail: number
  listener:
    | { present: true; name: string; term: number; state: ListenerState; since: string }
    | { present: false }
  /** Who takes changes out of Postgres. */
  drain: { by: 'listener' | 'feed' | 'nobody' }
  /** null while no listener can say. */
  lag_ms: number | null
  shards: { name: string; sockets: number }[]
  sockets: number
  consumers: {
    name: string
    offset: number
    behind: number
    parked: number
    error: string | null
  }[]
  mail: {
    queued: number
    sent: number
    parked: number
    /** When the oldest of the queued was owed. */
    waiting_since: string | null
  }
  delivering: boolean
  /** Why changes do not arrive, or only slowly, and what to do. */
  why: string | null
  canary: {
    beat: number
    age_ms: number
    to_feed_ms: number
    to_shards_ms: number | null
  } | null
}

/** The last reading of it. */
export type SystemReading =
  | { state: 'unknown' }
  | { state: 'read'; status: SystemStatus; atMs: number }
  | { state: 'failed'; message: string }

/** One way there and back. */
export type Measured = { ok: true; ms: number } | { ok: false; message: string }
export type Probe =
  | { state: 'never' }
  | { state: 'running' }
  | { state: 'done'; socket: Measured; http: Measured }
