import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { TICKET_MS, ticketAnswer, ticketRequest } from '../../protocol/ticket.ts'
import type { ServedUser } from '../doors/served.ts'
import { limitedBody } from '../doors/strict-body.ts'
import { issueTicket } from '../doors/tickets.ts'
import { defaultHook, problemResponses } from './problem.ts'

/** What a user's browser opens a socket with: see protocol/ticket.ts. */
export const meTickets = new OpenAPIHono<ServedUser>({ defaultHook })

const schema = ticketRequest.openapi('TicketRequest', { example: { topic: 'notifications' } })

const issue = createRoute({
  method: 'post',
  path: '/api/me/tickets',
  tags: ['Inbox'],
  summary: 'Get a ticket for a socket of mine',
  description: 'It opens one socket of its topic, once.',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema } } } },
  responses: {
    201: {
      description: 'The ticket: send it as `?ticket=`.',
      content: { 'application/json': { schema: ticketAnswer.openapi('Ticket') } },
    },
    ...problemResponses('invalid_body', 'body_too_large', 'unsupported_media_type'),
  },
})

meTickets.openapi(issue, async (c) => {
  const { topic } = c.req.valid('json')
  const ticket = await issueTicket(c.env, c.var.principal, topic)
  return c.json({ ticket, expires_in_ms: TICKET_MS }, 201)
})
