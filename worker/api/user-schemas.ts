import { z } from '@hono/zod-openapi'
import type { Row } from '../../protocol/change.ts'
import { isAddress } from '../mail/recipients.ts'
import { givenText } from './delivery-filter.ts'
import { isStorable } from './opaque.ts'
import { pageLimit } from './page-limit.ts'
import { rowId } from './row-id.ts'
import { columnsOfWishes, sayWishes, type Wishes, wishes } from './user-wishes.ts'

/** What the API of users takes and gives; each edge is parsed once, here, and refused in words. */

/** Above it there is room for those that Postgres numbers, below 2^53. */
const MAX_GIVEN_ID = 9_000_000_000_000_000
export const MAX_RANGE = 100_000

const ID_RULE = `must be a whole number from 1 to ${MAX_GIVEN_ID}`
const NAME_RULE = 'must be text of 1 to 200 characters'
const EMAIL_RULE = 'must be one plain address, such as ada@example.com, or null for none'
const SUBJECT_RULE = 'must be text of 1 to 255 characters, or null for none'
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

const id = z
  .int({ error: ID_RULE })
  .min(1, ID_RULE)
  .max(MAX_GIVEN_ID, ID_RULE)
  .openapi({ description: 'As your own system has it.', example: 42 })

const name = z
  .string({ error: NAME_RULE })
  .trim()
  .min(1, NAME_RULE)
  .max(200, NAME_RULE)
  .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters')
  .openapi({ example: 'Ada Lovelace' })

const email = z
  .string({ error: EMAIL_RULE })
  .trim()
  .refine(isAddress, EMAIL_RULE)
  .nullable()
  .openapi({ example: 'ada@example.com' })

const subject = z
  .string({ error: SUBJECT_RULE })
  .min(1, SUBJECT_RULE)
  .max(255, SUBJECT_RULE)
  .refine(isStorable, 'must hold neither NUL nor half a surrogate pair')
  .nullable()
  .openapi({
    description: 'The `sub` of the tokens that an identity provider gives them, if one does.',
    example: 'auth0|6f1c2b',
  })

/** Of one user, each of them as it is given. */
const given = { name, email, subject, ...wishes }
const anyOf = z.strictObject(given).partial().shape
/** No two have one subject. */
const { subject: _, ...ofMany } = anyOf

export const newUser = z.strictObject({ ...anyOf, id: id.optional(), name }).openapi('NewUser', {
  description: 'Without an id it gets the next one.',
  example: { name: 'Ada Lovelace', email: 'ada@example.com', time_zone: 'Europe/London' },
})

export const userChanges = z
  .strictObject(anyOf)
  .refine((changes) => Object.keys(changes).length > 0, 'must hold at least one field to change')
  .openapi('UserChanges', { minProperties: 1, example: { can_receive_notifications: false } })

export const userLine = z.strictObject({ ...anyOf, id }).openapi('UserLine', {
  description: 'A line of a load. A user that there is not yet needs a name.',
  example: { id: 42, name: 'Ada Lovelace', email: 'ada@example.com' },
})

/** The id stands where `{n}` does; the address is one once it does. */
export const userRange = z
  .strictObject({
    ...ofMany,
    from: id,
    to: id,
    name: name.optional().openapi({ example: 'Customer {n}' }),
    email: z
      .string({ error: EMAIL_RULE })
      .trim()
      .refine((text) => isAddress(withId(text)), EMAIL_RULE)
      .nullable()
      .optional()
      .openapi({ example: 'customer-{n}@example.com' }),
  })
  .refine(({ from, to }) => to >= from && to - from < MAX_RANGE, {
    path: ['to'],
    error: `must be \`from\` or above it, for at most ${MAX_RANGE} users in one request`,
  })
  .refine(({ name = '' }) => withId(name).length <= 200, {
    path: ['name'],
    error: 'must be at most 200 characters with the id in it',
  })
  .openapi('UserRange', {
    description:
      'Users of these ids, both ends included: new ones, and the fields given of others.',
    example: { from: 1, to: 1_000, name: 'Customer {n}', email: 'customer-{n}@example.com' },
  })

/** One or the other, by whether it names a range; so that what is refused is said of that one. */
export const userOrRange = z
  .looseObject({}, { error: 'must be an object' })
  .transform((given, context): z.infer<typeof newUser> | z.infer<typeof userRange> => {
    const isRange = 'from' in given || 'to' in given
    const read = isRange ? userRange.safeParse(given) : newUser.safeParse(given)
    if (read.success) return read.data
    for (const fault of faultsOf(read.error))
      context.issues.push({ code: 'custom', ...fault, input: given })
    return z.NEVER
  })
  .openapi({
    anyOf: [{ $ref: '#/components/schemas/NewUser' }, { $ref: '#/components/schemas/UserRange' }],
  })

export type UserLine = z.infer<typeof userLine>
export type UserFields = z.infer<typeof userChanges>

const instant = z.string().openapi({
  format: 'date-time',
  description: 'UTC, with microseconds.',
  example: '2026-11-21T08:33:55.123456+00:00',
})

export const user = z
  .object({
    id: z.int().openapi({ example: 42 }),
    name: z.string().openapi({ example: 'Ada Lovelace' }),
    email: z.string().nullable().openapi({ example: 'ada@example.com' }),
    subject: z.string().nullable().openapi({ example: 'auth0|6f1c2b' }),
    ...wishes,
    time_zone: z.string().openapi({ example: 'Europe/Berlin' }),
    digest_at: z.string().openapi({ example: '08:00' }),
    last_opened_at: instant.nullable().openapi({
      description: 'When they last opened their inbox; what was delivered by then is seen.',
    }),
    version: z.int().openapi({ description: 'Grows by one with each update.', example: 3 }),
    created_at: instant,
    updated_at: instant,
  })
  .openapi('User')

export const userPage = z
  .object({
    users: z.array(user),
    next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
  })
  .openapi('UserPage')

export const loaded = z
  .object({
    created: z.int().openapi({ example: 990 }),
    changed: z.int().openapi({ example: 8 }),
    unchanged: z.int().openapi({ example: 2 }),
  })
  .openapi('UsersLoaded')

export const userId = z.object({ id: rowId('id', 42) })

export const userQuery = z.strictObject({
  search: givenText()
    .refine((text) => !UNPRINTABLE.test(text), 'must not hold control characters')
    .optional()
    .openapi({
      description: 'A part of the name or the address, in any case, or the id.',
      example: 'ada',
    }),
  limit: pageLimit,
  cursor: givenText().optional().openapi({ description: 'next_cursor of the page before.' }),
})

/** What is wrong with what was given, field by field. */
export function faultsOf(error: z.ZodError): { path: PropertyKey[]; message: string }[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [key], message: 'is not known here; leave it out' }))
      : [{ path: issue.path, message: issue.message }],
  )
}

/** With the longest of ids. */
function withId(text: string): string {
  return text.replaceAll('{n}', String(MAX_GIVEN_ID))
}

type Told = Wishes & {
  id: number
  name: string
  email: string | null
  subject: string | null
  last_opened_at: string | null
  version: number
  created_at: string
  updated_at: string
}

/** @param row of `users`, as a change carries it */
export function sayUser(row: Row): Told {
  const { id, name, email, subject, last_opened_at, version, created_at, updated_at } = row as Told
  const told = { id, name, email, subject, ...sayWishes(row), last_opened_at }
  return { ...told, version, created_at, updated_at }
}

/** The columns of `users` for the fields given; what is not given is not in it. */
export function columnsOf({ name, email, subject, ...rest }: UserFields) {
  return {
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(subject !== undefined && { subject }),
    ...columnsOfWishes(rest),
  }
}
