import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { ServedUser } from '../doors/served.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { noSuchUser } from './ask-inbox.ts'
import { database } from './database.ts'
import { ifMatchHeader, ofChanging, tagged, tagHeader } from './entity-tag.ts'
import {
  type Category,
  preferenceChannels,
  readPreferences,
  type Wanted,
  writePreferences,
} from './preference-store.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { sayWishes, wishes } from './user-wishes.ts'

/**
 * What a user wants to be told of, where and when. Postgres is authoritative, and plans again
 * whatever is not yet delivered. A category that is critical cannot be switched off.
 */
export const mePreferences = new OpenAPIHono<ServedUser>({ defaultHook })

const MAX_CATEGORIES = 100
const MAX_NAME = 64
const SWITCH_RULE = 'must be true or false'

const tags = ['Inbox']
const path = '/api/me/preferences'

const onChannel = z.boolean({ error: SWITCH_RULE })
const onChannels = { inbox: onChannel, mail: onChannel, webhook: onChannel }

const preferences = z
  .object({
    ...wishes,
    time_zone: z.string().openapi({ example: 'Europe/Berlin' }),
    digest_at: z.string().openapi({ example: '08:00' }),
    categories: z.record(
      z.string(),
      z.object({
        ...onChannels,
        critical: z.boolean().openapi({ description: 'true: always on, at once.' }),
      }),
    ),
  })
  .openapi('Preferences')

const changes = z
  .strictObject({
    ...wishes,
    categories: z
      .record(z.string().min(1).max(MAX_NAME), z.strictObject(onChannels).partial())
      .refine(
        (given) => Object.keys(given).length <= MAX_CATEGORIES,
        `must hold at most ${MAX_CATEGORIES} categories`,
      ),
  })
  .partial()
  .refine((given) => Object.keys(given).length > 0, 'must hold at least one field to change')
  .openapi('PreferenceChanges', {
    minProperties: 1,
    example: { digest: 'daily', categories: { general: { mail: false } } },
  })

const all = {
  description: 'All of them; of categories, those that there are.',
  content: { 'application/json': { schema: preferences } },
  headers: tagHeader,
}

const read = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'What I want to be told',
  responses: {
    200: all,
    ...problemResponses('not_found', 'not_configured', 'database_unavailable'),
  },
})

mePreferences.openapi(read, async (c) => answer(c))

const change = createRoute({
  method: 'patch',
  path,
  tags,
  summary: 'Change what I want to be told',
  description: 'What is not given stays. All of it is written, or nothing.',
  middleware: [limitedBody],
  request: {
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: changes } } },
  },
  responses: {
    200: all,
    ...problemResponses('not_found', 'not_configured', ...ofChanging),
  },
})

mePreferences.openapi(change, async (c) => {
  const { user } = c.var
  const { categories = {}, ...given } = c.req.valid('json')
  const wanted = Object.entries(categories).map(([name, on]) => ({ name, ...on }))
  const names = wanted.map(({ name }) => name)
  const before = await readPreferences(database(c.env), user, names)
  if (!before) return noSuchUser(c)
  const errors = wanted.flatMap((one) => refusalOf(one, before.categories) ?? [])
  const [first] = errors
  if (first)
    return problem(c, 'invalid_body', { detail: `${first.path}: ${first.message}`, errors })
  await writePreferences(c, user, given, wanted)
  return answer(c)
})

async function answer(c: Context<ServedUser>) {
  const found = await readPreferences(database(c.env), c.var.user)
  if (!found) return noSuchUser(c)
  const categories = Object.fromEntries(found.categories.map(({ name, ...on }) => [name, on]))
  return c.json({ ...sayWishes(found.user), categories }, 200, tagged(found.tag))
}

function refusalOf(
  { name, ...on }: Wanted,
  known: readonly Category[],
): { path: string; message: string } | null {
  const category = known.find((each) => each.name === name)
  if (!category)
    return {
      path: `categories.${name}`,
      message: `is none that there is: ${known.map((each) => each.name).join(', ')}`.slice(0, 500),
    }
  const off = preferenceChannels.find((channel) => on[channel] === false)
  return category.critical && off !== undefined
    ? { path: `categories.${name}.${off}`, message: 'is critical and cannot be switched off' }
    : null
}
