import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { staffTicketRequest, TICKET_MS, ticketAnswer } from '../../protocol/ticket.ts'
import { isAdmin } from '../doors/principal.ts'
import type { Served } from '../doors/served.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { issueTicket } from '../doors/tickets.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/** What a dashboard's browser opens a socket with: see protocol/ticket.ts. */
export const tickets = new OpenAPIHono<Served>({ defaultHook })

const schema = staffTicketRequest.openapi('StaffTicketRequest', { example: { topic: 'changes' } })

const issue = createRoute({
  method: 'post',
  path: '/api/tickets',
  tags: ['Changes'],
  summary: 'Get a ticket for a socket',
  description:
    'It opens one socket of its topic, once: `changes` what you may read of the feed, `mails` (for admins) `/api/emails/live`.',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema } } } },
  responses: {
    201: {
      description: 'The ticket: send it as `?ticket=`.',
      content: { 'application/json': { schema: ticketAnswer.openapi('Ticket') } },
    },
    ...problemResponses('invalid_body', 'forbidden', 'body_too_large', 'unsupported_media_type'),
  },
})

tickets.openapi(issue, async (c) => {
  const { topic } = c.req.valid('json')
  const { principal } = c.var
  if (topic === 'mails' && !isAdmin(principal))
    return problem(c, 'forbidden', { detail: 'A ticket for mails needs the scope "admin".' })
  const ticket = await issueTicket(c.env, principal, topic)
  return c.json({ ticket, expires_in_ms: TICKET_MS }, 201)
})
