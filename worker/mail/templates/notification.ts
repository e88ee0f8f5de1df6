import { z } from 'zod'
import type { Row, Value } from '../../../protocol/change.ts'
import { valueText } from '../../rules/key-text.ts'
import { cut } from '../line.ts'
import { defineTemplate, keptText } from './template.ts'

/** Of content with more, the first ones are shown. */
const FACTS_MAX = 12
/** As many as a digest names: migration 0008. */
const ITEMS_MAX = 20
const TEXT_MAX = 600
const URL_MAX = 2_000

/** One template for a notification and for a digest of several: a rule cannot tell them apart. */
export const notification = defineTemplate({
  name: 'notification',
  description: 'A user’s notification was delivered: what it says; of a digest, what it brings.',
  rules: {
    tables: ['notifications'],
    ops: ['insert', 'update'],
    pick: ({ new: row }) => pick(row),
  },
  schema: z.object({
    title: keptText,
    category: keptText,
    text: z.string().transform((text) => cut(text, TEXT_MAX)),
    link: z.string().max(URL_MAX).nullable(),
    facts: z.array(z.object({ label: keptText, value: keptText })),
    /** Of a digest: what it brings, and how many more. */
    items: z.array(z.object({ title: keptText, category: keptText })),
    more: z.int(),
  }),
  sample: {
    title: 'Your order was shipped',
    category: 'orders',
    text: 'Difference engine is on its way.',
    link: 'https://shop.example.com/orders/42',
    facts: [{ label: 'order', value: '42' }],
    items: [],
    more: 0,
  },
  content({ title, category, text, link, facts, items, more }) {
    const brought = items.map((item) => ({ label: item.category, value: item.title }))
    const rest = more === 0 ? [] : [{ label: '…', value: `${more} more` }]
    const table = [...facts, ...brought, ...rest]
    return {
      subject: title,
      preheader: text || items.map((item) => item.title).join(', '),
      blocks: [
        { kind: 'title', text: title },
        ...(text === '' ? [] : [{ kind: 'paragraph' as const, text }]),
        ...(table.length === 0 ? [] : [{ kind: 'facts' as const, facts: table }]),
        ...(link === null ? [] : [{ kind: 'button' as const, text: 'Open', url: link }]),
      ],
      footnote:
        items.length > 0
          ? 'You get this mail because you asked for your notifications together.'
          : `You get this mail because you want to hear about ${category}.`,
    }
  },
})

function pick(row: Row | null) {
  if (row === null) return null
  const content = isObject(row.content) ? row.content : {}
  const items = row.category === 'digest' ? itemsIn(content) : []
  const { text, ...others } = content
  const facts = items.length > 0 ? [] : Object.entries(others)
  return {
    title: row.title,
    category: row.category,
    text: typeof text === 'string' ? text : '',
    link: typeof row.link === 'string' && row.link.length <= URL_MAX ? row.link : null,
    facts: facts
      .filter(([, value]) => value !== null && typeof value !== 'object')
      .slice(0, FACTS_MAX)
      .map(([label, value]) => ({ label, value: valueText(value) })),
    items,
    more: items.length > 0 ? Math.max(0, Number(content.count) - items.length) || 0 : 0,
  }
}

function itemsIn({ notifications }: Row): { title: string; category: string }[] {
  if (!Array.isArray(notifications)) return []
  return notifications
    .filter(isObject)
    .slice(0, ITEMS_MAX)
    .map(({ title, category }) => ({
      title: valueText(title ?? null),
      category: valueText(category ?? null),
    }))
}

function isObject(value: Value | undefined): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
