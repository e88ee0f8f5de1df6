import { z } from 'zod'
import type { Tone } from '../content.ts'
import { formatInstant } from '../line.ts'
import { orderFacts, orderFields, orderFootnote, sampleOrder } from './order.ts'
import { defineTemplate, keptText } from './template.ts'

export const orderStatus = defineTemplate({
  name: 'order-status',
  description: 'An order has a new status, whichever it is: the old one, the new one, when.',
  rules: {
    tables: ['orders'],
    ops: ['insert', 'update'],
    pick: ({ new: row, old }) => row && { ...row, before: old?.status ?? null },
  },
  schema: z.object({ ...orderFields, status: keptText, before: keptText.nullable() }),
  sample: { ...sampleOrder, status: 'shipped', before: 'filled' },
  content(order, audience) {
    const { status, before } = order
    const said = spoken(status)
    const title = `Order ${order.id} ${said.sentence}`
    const about = `${order.product_name} for ${order.customer_name}`
    const fact = { label: 'Status', value: said.word }
    return {
      subject: `${title}: ${about}`,
      preheader: about,
      blocks: [
        { kind: 'badge', text: said.word, tone: said.tone },
        { kind: 'title', text: title },
        {
          kind: 'facts',
          facts: [
            before === null || before === status ? fact : { ...fact, before: spoken(before).word },
            ...orderFacts(order),
            { label: 'Since', value: formatInstant(order.updated_at) },
          ],
        },
      ],
      footnote: orderFootnote(audience),
    }
  },
})

type Spoken = { word: string; sentence: string; tone: Tone }

const words = new Map<string, Spoken>([
  ['pending', { word: 'Pending', sentence: 'is pending', tone: 'neutral' }],
  ['processing', { word: 'Processing', sentence: 'is being processed', tone: 'busy' }],
  ['filled', { word: 'Filled', sentence: 'is filled', tone: 'good' }],
  ['shipped', { word: 'Shipped', sentence: 'is on its way', tone: 'busy' }],
  ['delivered', { word: 'Delivered', sentence: 'is delivered', tone: 'good' }],
  ['completed', { word: 'Completed', sentence: 'is complete', tone: 'good' }],
  ['cancelled', { word: 'Cancelled', sentence: 'is cancelled', tone: 'bad' }],
])

function spoken(status: string): Spoken {
  return words.get(status) ?? { word: status, sentence: `is now ${status}`, tone: 'neutral' }
}
