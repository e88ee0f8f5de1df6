import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Change } from '../../protocol/change.ts'
import { formatPosition, parsePosition } from '../../protocol/position.ts'
import type { Env } from '../env.ts'
import type { ParkedChange } from '../feed/parked.ts'
import { describedChange } from './described-change.ts'
import { formatPageCursor, parsePageCursor } from './page-cursor.ts'
import { pageLimit } from './page-limit.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'
import { note } from './writing.ts'

/** What consumers have given up, for the people who look after it; app.ts asks for the token. */
export const parked = new OpenAPIHono<{ Bindings: Env }>({ defaultHook })

const tags = ['Admin']
const LIST = 'parked'

const parkedChange = z
  .object({
    consumer: z.string().openapi({ example: 'mail' }),
    position: z.string().openapi({
      description: 'Its place in the feed, by which it is redriven or dropped.',
      example: 'k3v:57',
    }),
    attempts: z.int().openapi({ description: 'How often it was handed over.', example: 8 }),
    error: z.string().openapi({ description: 'What the consumer said the last time.' }),
    at: z.iso.datetime().openapi({ description: 'When it was given up, or last redriven.' }),
    change: describedChange,
  })
  .openapi('ParkedChange')

const list = createRoute({
  method: 'get',
  path: '/api/admin/parked',
  tags,
  summary: 'List what consumers have given up, newest first',
  request: {
    query: z.strictObject({
      consumer: z.string().max(100).optional().openapi({ example: 'mail' }),
      limit: pageLimit,
      cursor: z.string().optional().openapi({ description: '`next_cursor` of the page before.' }),
    }),
  },
  responses: {
    200: {
      description: 'A page; large changes make it shorter than `limit`.',
      content: {
        'application/json': {
          schema: z.object({
            parked: z.array(parkedChange),
            next_cursor: z.string().nullable().openapi({ description: 'null on the last page.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid_query', 'invalid_cursor'),
  },
})

parked.openapi(list, async (c) => {
  const { consumer = null, limit, cursor } = c.req.valid('query')
  const start = await parsePageCursor(c.env, LIST, cursor)
  if (!start.ok) return problem(c, 'invalid_cursor', { detail: start.detail })
  const page = await feed(c.env).parked(consumer, limit, start.before)
  const next_cursor = await formatPageCursor(c.env, LIST, page.nextCursor)
  return c.json({ parked: page.parked.map(say), next_cursor }, 200)
})

const place = z.object({
  consumer: z.string().openapi({ example: 'mail' }),
  position: z
    .string()
    .openapi({ description: 'As the list has it; an offset alone is of the current epoch.' }),
})

const redrive = createRoute({
  method: 'post',
  path: '/api/admin/parked/{consumer}/{position}/redrive',
  tags,
  summary: 'Hand one over again',
  description: 'At once, and to its consumer alone. If that fails again it stays parked.',
  request: { params: place },
  responses: {
    200: {
      description: 'What came of it',
      content: {
        'application/json': {
          schema: z.discriminatedUnion('outcome', [
            z.object({ outcome: z.literal('handled') }),
            z.object({ outcome: z.literal('failed'), attempts: z.int(), error: z.string() }),
          ]),
        },
      },
    },
    ...problemResponses('invalid_position', 'not_found', 'database_unavailable'),
  },
})

parked.openapi(redrive, async (c) => {
  const { consumer, position } = c.req.valid('param')
  const at = readPlace(position)
  if (!at) return problem(c, 'invalid_position', { detail: PLACE_RULE })
  await note(c, { action: 'redrive', table: 'parked_changes', key: `${consumer}/${position}` })
  const redriven = await feed(c.env).redrive(consumer, at.epoch, at.offset)
  return redriven.outcome === 'missing'
    ? problem(c, 'not_found', { detail: nothingAt(consumer, position) })
    : c.json(redriven, 200)
})

const drop = createRoute({
  method: 'delete',
  path: '/api/admin/parked/{consumer}/{position}',
  tags,
  summary: 'Drop one for good',
  request: { params: place },
  responses: {
    204: { description: 'It is gone' },
    ...problemResponses('invalid_position', 'not_found', 'database_unavailable'),
  },
})

parked.openapi(drop, async (c) => {
  const { consumer, position } = c.req.valid('param')
  const at = readPlace(position)
  if (!at) return problem(c, 'invalid_position', { detail: PLACE_RULE })
  await note(c, { action: 'drop', table: 'parked_changes', key: `${consumer}/${position}` })
  return (await feed(c.env).dropParked(consumer, at.epoch, at.offset))
    ? c.body(null, 204)
    : problem(c, 'not_found', { detail: nothingAt(consumer, position) })
})

const PLACE_RULE = 'A position reads like k3v:57, as the list has it; or 57, of the current epoch.'

function nothingAt(consumer: string, position: string): string {
  return `Nothing of the consumer ${consumer} is parked at ${position}. What there is, GET /api/admin/parked lists.`
}

/** @returns null when it is no place; its epoch is null for the current one */
function readPlace(text: string): { epoch: string | null; offset: number } | null {
  if (/^\d{1,15}$/.test(text)) return { epoch: null, offset: Number(text) }
  return parsePosition(text)
}

function say({ consumer, epoch, offset, attempts, error, at, change }: ParkedChange) {
  return {
    consumer,
    position: formatPosition({ epoch, offset }),
    attempts,
    error,
    at: new Date(at).toISOString(),
    change: JSON.parse(change) as Change,
  }
}

function feed(env: Env) {
  return env.FEED.getByName('main')
}
