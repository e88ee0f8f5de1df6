import { z } from 'zod'
import { formatInstant } from '../line.ts'
import { defineTemplate, keptText } from './template.ts'

export const webhookOff = defineTemplate({
  name: 'webhook-off',
  description: 'To staff: a webhook endpoint kept failing and was switched off.',
  rules: null,
  schema: z.object({
    /** Its id. */
    endpoint: keptText,
    url: keptText,
    /** When it began to fail. */
    since: keptText,
    last_error: keptText,
    /** Where it is looked after. */
    link: z.string().max(2_000).optional(),
  }),
  sample: {
    endpoint: '0b5f1a0e-93a4-4c0b-8a7f-5d2f7d6c1e42',
    url: 'https://shop.example.com/hooks/orders',
    since: '2026-11-20T08:31:12.000Z',
    last_error: '503 Service Unavailable',
    link: 'https://belfry.example.com/webhooks',
  },
  content({ endpoint, url, since, last_error, link }) {
    return {
      subject: `Webhook switched off: ${url}`,
      preheader: `It has failed since ${formatInstant(since)}: ${last_error}`,
      blocks: [
        { kind: 'badge', text: 'Switched off', tone: 'bad' },
        { kind: 'title', text: 'A webhook was switched off' },
        {
          kind: 'paragraph',
          text: 'This endpoint kept failing, so nothing more is sent to it. What it is owed lies parked. When it works again, switch it on and redrive what is parked.',
        },
        {
          kind: 'facts',
          facts: [
            { label: 'Address', value: url },
            { label: 'Endpoint', value: endpoint },
            { label: 'Failing since', value: formatInstant(since) },
            { label: 'Last error', value: last_error },
          ],
        },
        ...(link === undefined
          ? []
          : [{ kind: 'button' as const, text: 'Look after it', url: link }]),
      ],
      footnote: 'You get this mail because you look after Belfry.',
    }
  },
})
