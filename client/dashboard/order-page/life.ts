import { z } from 'zod'
import { deliveryStates } from '../../../protocol/delivery-states.ts'

/** What `GET /api/orders/{id}/life` answers. Times are ISO 8601 in UTC. */

/** Of a column that changed: `[before, after]`, empty where values are not kept. */
const changed = z.record(z.string(), z.unknown())

const written = z.object({
  /** null of a deletion. */
  version: z.int().nullable(),
  at: z.string(),
  /** `operator`, `key:7`, `user:42` and the like. */
  by: z.string(),
  /** Of the key or the user, as it is now. */
  name: z.string().nullable(),
  request: z.string(),
  action: z.string(),
  changed,
})
export type Written = z.infer<typeof written>

/** The first and the last of versions that did not come over the API. */
const unwritten = z.object({
  versions: z.tuple([z.int(), z.int()]),
  by: z.literal('sql'),
})
export type Unwritten = z.infer<typeof unwritten>

const toldInApp = z.object({
  id: z.int(),
  user: z.int(),
  title: z.string(),
  state: z.string(),
  delivered_at: z.string().nullable(),
  /** Of which they were told; null where that is not known. */
  version: z.int().nullable(),
})
export type ToldInApp = z.infer<typeof toldInApp>

const toldByMail = z.object({
  id: z.int(),
  recipient: z.string(),
  state: z.enum(deliveryStates),
  rule: z.string(),
  version: z.int().nullable(),
  at: z.string(),
})
export type ToldByMail = z.infer<typeof toldByMail>

export const life = z.object({
  /** null of one that is gone. */
  order: z.record(z.string(), z.unknown()).nullable(),
  /** The oldest first, as are the others. */
  versions: z.array(z.union([written, unwritten])),
  notifications: z.array(toldInApp),
  mails: z.array(toldByMail),
})
export type Life = z.infer<typeof life>
