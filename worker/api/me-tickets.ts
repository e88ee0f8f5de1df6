import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { TICKET_MS, ticketAnswer, ticketRequest } from '../../protocol/ticket.ts'
import { askInbox, type MeEnv } from './me-door.ts'
import { security } from './me-schemas.ts'
import { defaultHook, limitedBody, problemResponses } from './problem.ts'
import { sealTicket } from './ticket-seal.ts'

/** What a browser opens a socket with: see protocol/ticket.ts. */
export const meTickets = new OpenAPIHono<MeEnv>({ defaultHook })

const schema = ticketRequest.openapi('TicketRequest', { example: { topic: 'notifications' } })

const issue = createRoute({
  method: 'post',
  path: '/api/me/tickets',
  tags: ['Inbox'],
  security,
  summary: 'Get a ticket for a socket',
  description: 'It opens one socket of its topic, once.',
  middleware: [limitedBody],
  request: { body: { required: true, content: { 'application/json': { schema } } } },
  responses: {
    201: {
      description: 'The ticket: send it as `?ticket=`.',
      content: { 'application/json': { schema: ticketAnswer.openapi('Ticket') } },
    },
    ...problemResponses(
      'invalid_body',
      'unauthorized',
      'body_too_large',
      'unsupported_media_type',
      'not_configured',
    ),
  },
})

meTickets.openapi(issue, async (c) => {
  const { topic } = c.req.valid('json')
  const ticket = await askInbox(c, (inbox) => inbox.issueTicket(topic))
  // Without the secret nobody came this far.
  const sealed = await sealTicket(c.env.AUTH_SECRET ?? '', ticket)
  return c.json({ ticket: sealed, expires_in_ms: TICKET_MS }, 201)
})
