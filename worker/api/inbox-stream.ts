import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { parsePosition } from '../../protocol/position.ts'
import type { ServedUser } from '../doors/served.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../doors/session.ts'
import { askInbox, noSuchUser } from './ask-inbox.ts'
import { streamEvents } from './event-stream.ts'
import { problem, problemResponses } from './problem.ts'
import { acceptAndClose, isUpgrade } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'

/** A user follows their inbox. What is asked of its object is said anew here, name by name. */
export const inboxStream = new OpenAPIHono<ServedUser>()

const path = '/api/me/notifications'
const position = z.object({
  after: z.string().optional().openapi({ description: 'What moved after this', example: '41' }),
  epoch: z.string().optional().openapi({ description: 'Of the inbox; goes with `after`' }),
  ticket: z
    .string()
    .optional()
    .openapi({ description: 'Instead of a token, which a browser cannot send with a socket' }),
})

for (const [end, status, summary, speaks] of [
  ['ws', 101, 'Follow my inbox over WebSocket', 'Frames `hello`, `notifications` and `reset`.'],
  [
    'stream',
    200,
    'Follow my inbox as server-sent events',
    'The same frames as `data:`, the position as `id:`; `Last-Event-ID` resumes.',
  ],
] as const)
  inboxStream.openAPIRegistry.registerPath({
    method: 'get',
    path: `${path}/${end}`,
    tags: ['Inbox'],
    summary,
    description: speaks,
    request: { query: position },
    responses: {
      [status]: { description: 'It begins.' },
      ...problemResponses('invalid_position', 'invalid_query', 'not_configured'),
    },
  })

inboxStream.get(`${path}/ws`, async (c) => {
  if (!isUpgrade(c.req.raw))
    return problem(c, 'upgrade_required', { headers: { upgrade: 'websocket' } })
  const start = readStart(c, null)
  if (start.ok) return follow(c, start.query)
  countRefusal(c, 'subscriber', 'bad_request')
  return acceptAndClose('bad_request', start.detail)
})

inboxStream.get(`${path}/stream`, async (c) => {
  const start = readStart(c, c.req.header('last-event-id') ?? null)
  if (!start.ok) return problem(c, start.code, { detail: start.detail })
  // A stream that is closed at once is asked for again and again; a problem is not.
  const standing = await askInbox(c, (inbox, feed) => inbox.standing(feed))
  if (!standing) return noSuchUser(c)
  const { webSocket } = await follow(c, start.query)
  return webSocket ? streamEvents(webSocket, 'listens') : problem(c, 'internal')
})

type ReadStart =
  | { ok: true; query: Record<string, string> }
  | { ok: false; code: 'invalid_position' | 'invalid_query'; detail: string }

const KNOWN = ['after', 'epoch', 'ticket']
const POSITION_RULE =
  'after: a whole number from 0 to 999999999999999, with epoch: as the hello frame gave it'

/** @param lastEventId wins over the query when it is a position */
function readStart(c: Context<ServedUser>, lastEventId: string | null): ReadStart {
  for (const [name, texts] of Object.entries(c.req.queries())) {
    if (!KNOWN.includes(name))
      return refused('invalid_query', `"${name.slice(0, 40)}" is not read here; leave it out`)
    if (texts.length > 1) return refused('invalid_query', `${name}: was given twice; give it once`)
  }
  const resumed = lastEventId === null ? null : parsePosition(lastEventId)
  const { after, epoch } = c.req.query()
  if (resumed) return at(resumed.epoch, resumed.offset)
  if (after === undefined && epoch === undefined)
    return lastEventId ? refused('invalid_position', POSITION_RULE) : { ok: true, query: {} }
  const given = parsePosition(`${epoch ?? ''}:${after ?? ''}`)
  return given ? at(given.epoch, given.offset) : refused('invalid_position', POSITION_RULE)
}

function at(epoch: string, offset: number): ReadStart {
  return { ok: true, query: { epoch, after: String(offset) } }
}

function refused(code: 'invalid_position' | 'invalid_query', detail: string): ReadStart {
  return { ok: false, code, detail }
}

function follow(c: Context<ServedUser>, query: Record<string, string>): Promise<Response> {
  return askInbox(c, (inbox, feed) => {
    const search = new URLSearchParams({ feed, ...query })
    const asking = writePrincipal(c.var.principal)
    const headers = { upgrade: 'websocket', [PRINCIPAL_HEADER]: asking }
    return inbox.fetch(new Request(`https://inbox/?${search}`, { headers }))
  })
}
