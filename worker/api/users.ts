import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Row } from '../../protocol/change.ts'
import { limitedBody } from '../doors/strict-body.ts'
import {
  ifMatchHeader,
  madeHeaders,
  mayIfMatchHeader,
  ofChanging,
  tagged,
  tagHeader,
} from './entity-tag.ts'
import { goneSince, ofCreating, onceHeader } from './idempotency.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { tellInboxes, type WriterEnv } from './tell-inboxes.ts'
import { loadUsers } from './user-load.ts'
import {
  loaded,
  newUser,
  sayUser,
  user,
  userChanges,
  userId,
  userOrRange,
  userPage,
  userQuery,
  userRange,
} from './user-schemas.ts'
import {
  changeUser,
  deleteUser,
  findUser,
  insertUser,
  listUsers,
  upsertRange,
} from './user-store.ts'

/**
 * Users over HTTP, for those who run it: an ordinary writer of the table among others. Their
 * inboxes hear of each change by the feed.
 */
export const users = new OpenAPIHono<{ Bindings: WriterEnv }>({ defaultHook })

const tags = ['Users']
const path = '/api/users'
const onePath = '/api/users/{id}'
const oneUser = {
  description: 'The user.',
  content: { 'application/json': { schema: user } },
  headers: tagHeader,
}
const NDJSON = 'application/x-ndjson'

users.openAPIRegistry.register('NewUser', newUser)
users.openAPIRegistry.register('UserRange', userRange)

const list = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List users',
  description: 'By id, the highest first.',
  request: { query: userQuery },
  responses: {
    200: { description: 'A page.', content: { 'application/json': { schema: userPage } } },
    ...problemResponses('invalid_query', 'invalid_cursor', 'database_unavailable'),
  },
})

users.openapi(list, async (c) => {
  const { search, limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, 'users', cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const rows = await listUsers(c.env, { search, limit: limit + 1 }, start.before)
  const page = rows.slice(0, limit).map(sayUser)
  const next = rows.length > limit ? (page.at(-1)?.id ?? null) : null
  return c.json({ users: page, next_cursor: await formatPageCursor(c.env, 'users', next) }, 200)
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Create a user, or the users of a range of ids',
  description: `One user, or with \`from\` and \`to\` all of these ids: those that are not there are created, of the others the fields given are changed. \`{n}\` in their name and email is the id; without a name they are called "User {n}". A range is one transaction. More than a range holds, and users who differ: POST ${path}/load.`,
  middleware: [limitedBody],
  request: {
    headers: onceHeader,
    body: { required: true, content: { 'application/json': { schema: userOrRange } } },
  },
  responses: {
    200: {
      description: 'What came of a range.',
      content: { 'application/json': { schema: loaded } },
    },
    201: { ...oneUser, headers: madeHeaders },
    ...problemResponses(...ofCreating),
  },
})

users.openapi(create, async (c) => {
  const given = c.req.valid('json')
  if ('from' in given) {
    const { from, to, ...fields } = given
    const { created, changed } = await upsertRange(c, { from, to }, fields)
    return c.json({ created, changed, unchanged: to - from + 1 - created - changed }, 200)
  }
  const row = await insertUser(c, given)
  if (row === 'taken')
    return problem(c, 'conflict', {
      detail: `There is a user ${given.id} already. To change fields of it: PATCH ${path}/${given.id}.`,
    })
  return row
    ? c.json(sayUser(row), 201, { ...tagOf(row), Location: `${path}/${row.id}` })
    : goneSince(c)
})

// Not by `openapi`: it has no word for what is streamed.
users.openAPIRegistry.registerPath({
  method: 'post',
  path: `${path}/load`,
  tags,
  summary: 'Load users, a line each',
  description:
    'NDJSON in and out, both streamed, for as many as there are: read the answer while you send. Each line is a user with an `id`: one that is not there is created, and needs a `name`; of the others the fields given are changed, and one that stays as it is, is no change. So the same load twice is once. A line that cannot be taken is named by its number, at most 16 kB long, and holds back none of the others; empty lines are passed over. Lines of one user that stand close together are taken as one.',
  request: {
    body: {
      required: true,
      content: {
        [NDJSON]: {
          schema: z.string().openapi({
            example: '{"id":42,"name":"Ada Lovelace"}\n{"id":43,"email":"grace@example.com"}\n',
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description:
        'As it goes, how many lines were taken and what came of them; for each bad line its number and why; and last, with `done`, whether it came to its end. If the database fails for good, `done` is false and `message` says what to do.',
      content: {
        [NDJSON]: {
          schema: z.string().openapi({
            example:
              '{"line":17,"message":"name: must be text of 1 to 200 characters"}\n{"lines":1000,"created":990,"changed":7,"unchanged":2,"failed":1}\n{"done":true,"lines":1000,"created":990,"changed":7,"unchanged":2,"failed":1}\n',
          }),
        },
      },
    },
    ...problemResponses('invalid_body', 'unsupported_media_type'),
  },
})

users.post(`${path}/load`, async (c) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== NDJSON)
    return problem(c, 'unsupported_media_type', {
      detail: `Send a user a line, with the header "Content-Type: ${NDJSON}".`,
    })
  const { body } = c.req.raw
  if (!body) return problem(c, 'invalid_body', { detail: 'Send at least one line.' })
  const said = loadUsers(c, body as unknown as AsyncIterable<Uint8Array>)
  return c.body(streamOf(said), 200, { 'Content-Type': NDJSON })
})

const read = createRoute({
  method: 'get',
  path: onePath,
  tags,
  summary: 'Read a user',
  request: { params: userId },
  responses: {
    200: oneUser,
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

users.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const row = await findUser(c.env, id)
  return row ? c.json(sayUser(row), 200, tagOf(row)) : missing(c, id)
})

const change = createRoute({
  method: 'patch',
  path: onePath,
  tags,
  summary: 'Change some fields of a user',
  description: 'What is scheduled for them is planned again by what they want now.',
  middleware: [limitedBody],
  request: {
    params: userId,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: userChanges } } },
  },
  responses: {
    200: oneUser,
    ...problemResponses('invalid_id', 'not_found', ...ofChanging),
  },
})

users.openapi(change, async (c) => {
  const { id } = c.req.valid('param')
  const row = await changeUser(c, id, c.req.valid('json'))
  if (!row) return missing(c, id)
  tellInboxes(c, { users: [row] })
  return c.json(sayUser(row), 200, tagOf(row))
})

const remove = createRoute({
  method: 'delete',
  path: onePath,
  tags,
  summary: 'Delete a user',
  description: 'Their notifications and preferences go with them; their orders stay, as nobody’s.',
  request: { params: userId, headers: mayIfMatchHeader },
  responses: {
    204: { description: 'They are gone.' },
    ...problemResponses(
      'invalid_id',
      'not_found',
      'conflict',
      'precondition_failed',
      'database_unavailable',
    ),
  },
})

users.openapi(remove, async (c) => {
  const { id } = c.req.valid('param')
  return (await deleteUser(c, id)) ? c.body(null, 204) : missing(c, id)
})

function tagOf(row: Row) {
  return tagged(sayUser(row).version)
}

/** It is taken from as its reader reads, and ended when the reader goes. */
function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await texts.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await texts.return(undefined)
    },
  })
}

function missing(c: Context, id: number) {
  return problem(c, 'not_found', {
    detail: `There is no user ${id}. Who there is, GET ${path} lists.`,
  })
}
