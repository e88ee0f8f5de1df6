import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { arrivingBody } from '../doors/arriving-body.ts'
import { refuseBody } from '../doors/strict-body.ts'
import type { Env } from '../env.ts'
import { readProviderMessage } from '../mail/provider-event.ts'
import { problem, problemResponses } from './problem.ts'
import { verifyProvider } from './provider-signature.ts'

/**
 * Where Resend says what became of a mail. Whatever answers other than 2xx it says again for
 * about a day, so an answer comes only once the ledger has it; and an event that was heard
 * before, of no mail of ours, or of an unknown kind is an answer like any other.
 */
export const providerWebhook = new OpenAPIHono<{ Bindings: Env }>()

const MAX_BYTES = 256 * 1024

const hear = createRoute({
  method: 'post',
  path: '/webhooks/resend',
  tags: ['Mail'],
  summary: 'Hear what became of a mail',
  description:
    'For Resend alone: signed after Standard Webhooks with `RESEND_WEBHOOK_SECRET`. Repeated and reordered events do no harm; those of an unknown kind are ignored.',
  responses: {
    204: { description: 'It is taken in, or there was nothing to take in.' },
    ...problemResponses('invalid_signature', 'body_too_large', 'invalid_event', 'not_configured'),
  },
})

// Described to readers of the documents; the body is read here, byte for byte as it was signed.
providerWebhook.openAPIRegistry.registerPath({
  ...hear,
  request: {
    body: { content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } } },
  },
})
providerWebhook.post(hear.path, async (c) => {
  const body = await arrivingBody(c.req.raw, MAX_BYTES)
  if (body.kind !== 'whole') return refuseBody(c, body, MAX_BYTES)
  const { RESEND_WEBHOOK_SECRET, RESEND_WEBHOOK_SECRET_PREVIOUS } = c.env
  const verdict = verifyProvider((name) => c.req.header(name), body.bytes, [
    RESEND_WEBHOOK_SECRET,
    RESEND_WEBHOOK_SECRET_PREVIOUS,
  ])
  if (verdict.kind === 'unconfigured')
    return problem(c, 'not_configured', {
      detail: `${verdict.why} Copy the signing secret of the webhook at Resend: npx wrangler secret put RESEND_WEBHOOK_SECRET`,
    })
  if (verdict.kind === 'refused') return problem(c, 'invalid_signature', { detail: verdict.why })

  const message = readProviderMessage(verdict.id, parse(verdict.body))
  if (message.kind === 'malformed') return problem(c, 'invalid_event', { detail: message.detail })
  if (message.kind === 'event') await c.env.MAILER.getByName('main').heard(message.event)
  return c.body(null, 204)
})

/** @returns undefined if it is no JSON, which is no event */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
