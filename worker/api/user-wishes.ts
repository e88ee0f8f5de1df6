import { z } from '@hono/zod-openapi'
import { digests } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'

/** When a user wants to hear of what is not critical: as the API takes and gives it. */

const CLOCK_RULE = 'must be a time of day, such as 22:00'
const ZONE_RULE = 'must be a time zone by its name, such as Europe/Berlin'
const QUIET_RULE = 'must be {"from": "22:00", "to": "07:00"}, or null for none'
const DIGEST_RULE = `must be one of ${digests.join(', ')}`

const clock = z
  .string({ error: CLOCK_RULE })
  .regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, CLOCK_RULE)
  .openapi({ description: 'A time of day.', example: '22:00' })

const zone = z
  .string({ error: ZONE_RULE })
  .refine(isTimeZone, ZONE_RULE)
  .openapi({ description: 'Of quiet hours and digests.', example: 'Europe/Berlin' })

const quietHours = z
  .strictObject({ from: clock, to: clock }, { error: QUIET_RULE })
  .nullable()
  .openapi({
    description:
      'What would be delivered from `from` on waits until `to`, which may be the next morning.',
    example: { from: '22:00', to: '07:00' },
  })

export const wishes = {
  can_receive_notifications: z
    .boolean({ error: 'must be true or false' })
    .openapi({ description: 'false: is told nothing at all.', example: true }),
  time_zone: zone,
  quiet_hours: quietHours,
  digest: z.enum(digests, { error: DIGEST_RULE }).openapi({
    description:
      'hourly or daily: what is not critical comes together, at full hours or at `digest_at`.',
    example: 'off',
  }),
  digest_at: clock.openapi({ example: '08:00' }),
}

export type Wishes = {
  can_receive_notifications: boolean
  time_zone: string
  quiet_hours: { from: string; to: string } | null
  digest: (typeof digests)[number]
  digest_at: string
}

/** @param row of `users` */
export function sayWishes(row: Row): Wishes {
  const { quiet_from, quiet_to } = row
  return {
    can_receive_notifications: row.can_receive_notifications as boolean,
    time_zone: row.time_zone as string,
    quiet_hours:
      quiet_from == null || quiet_to == null
        ? null
        : { from: sayClock(quiet_from), to: sayClock(quiet_to) },
    digest: row.digest as Wishes['digest'],
    digest_at: sayClock(row.digest_at),
  }
}

/** The columns of `users` for some wishes; those that are not given are not in it. */
export function columnsOfWishes<
  Given extends { [Wish in keyof Wishes]?: Wishes[Wish] | undefined },
>({ quiet_hours, ...same }: Given) {
  const quiet =
    quiet_hours === undefined
      ? {}
      : { quiet_from: quiet_hours?.from ?? null, quiet_to: quiet_hours?.to ?? null }
  return { ...same, ...quiet }
}

/** Seconds are said only where there are any. */
function sayClock(time: unknown): string {
  return String(time).replace(/^(\d\d:\d\d):00$/, '$1')
}

/** Names that were found good; to look one up costs a tenth of a millisecond. */
const known = new Set<string>()
const MOST_KNOWN = 1_000

function isTimeZone(name: string): boolean {
  if (known.has(name)) return true
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    return false
  }
  if (known.size < MOST_KNOWN) known.add(name)
  return true
}
