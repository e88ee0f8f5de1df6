import { z } from 'zod'
import { formatInstant } from '../line.ts'
import { orderFacts, orderFields, orderFootnote, sampleOrder } from './order.ts'
import { defineTemplate } from './template.ts'

export const orderFilled = defineTemplate({
  name: 'order-filled',
  description: 'An order is filled: which, for whom, how much, when.',
  rules: { tables: ['orders'], ops: ['insert', 'update'], pick: ({ new: row }) => row },
  schema: z.object(orderFields),
  sample: sampleOrder,
  content(order, audience) {
    const title = `Order ${order.id} is filled`
    const about = `${order.product_name} for ${order.customer_name}`
    return {
      subject: `${title}: ${about}`,
      preheader: about,
      blocks: [
        { kind: 'badge', text: 'Filled', tone: 'good' },
        { kind: 'title', text: title },
        {
          kind: 'facts',
          facts: [
            ...orderFacts(order),
            { label: 'Filled', value: formatInstant(order.updated_at) },
          ],
        },
      ],
      footnote: orderFootnote(audience),
    }
  },
})
