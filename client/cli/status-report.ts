import { z } from 'zod'
import { listenerStates } from '../../protocol/link.ts'
import { call } from './api.ts'

const count = z.number()

/** What `/api/status` says. */
const statusReport = z.object({
  epoch: z.string(),
  head: count,
  tail: count,
  listener: z.discriminatedUnion('present', [
    z.object({ present: z.literal(false) }),
    z.object({
      present: z.literal(true),
      name: z.string(),
      term: count,
      state: z.enum(listenerStates),
      since: z.string(),
    }),
  ]),
  /** null while no listener can say. */
  lag_ms: count.nullable(),
  sockets: count,
  shards: z.array(z.object({ name: z.string(), sockets: count })),
  consumers: z.array(
    z.object({
      name: z.string(),
      offset: count,
      behind: count,
      parked: count,
      error: z.string().nullable(),
    }),
  ),
  mail: z.object({ queued: count, sent: count, parked: count }),
})
export type StatusReport = z.infer<typeof statusReport>

/** @throws Failure */
export function readStatus(base: string): Promise<StatusReport> {
  return call(base, '/api/status', statusReport)
}

export const listenerMeanings = {
  awake: 'awake, draining in a loop',
  dozing: 'about to sleep',
  asleep: 'asleep, writers ring',
  polling: 'polling: LISTEN could not be had',
} as const
