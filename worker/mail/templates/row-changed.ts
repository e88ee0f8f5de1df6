import { z } from 'zod'
import {
  type CapturedChange,
  type Operation,
  operations,
  type Row,
  type Value,
} from '../../../protocol/change.ts'
import { keyText } from '../../rules/key-text.ts'
import type { Fact, Tone } from '../content.ts'
import { cut, formatInstant } from '../line.ts'
import { defineTemplate, keptText } from './template.ts'

/** Of a row with more columns the first ones are shown, those that changed before the others. */
const FACTS_MAX = 24
const VALUE_MAX = 200

export const rowChanged = defineTemplate({
  name: 'row-changed',
  description: 'A row of any table was inserted, changed or deleted: its columns, old and new.',
  rules: { tables: null, ops: operations, pick },
  schema: z.object({
    table: keptText,
    key: keptText,
    op: z.enum(operations),
    at: keptText,
    facts: z.array(z.object({ label: keptText, value: keptText, before: keptText.optional() })),
    /** Columns that are not shown. */
    more: z.int(),
  }),
  sample: {
    table: 'invoices',
    key: '2026-117',
    op: 'update',
    at: '2026-11-21T08:33:55.123456+00:00',
    facts: [
      { label: 'paid', value: 'yes', before: 'no' },
      { label: 'id', value: '2026-117' },
      { label: 'customer', value: 'Ada Lovelace' },
      { label: 'amount', value: '1249.5' },
    ],
    more: 0,
  },
  content({ table, key, op, at, facts, more }) {
    const { badge, sentence, tone } = words[op]
    const title = `${op === 'truncate' ? table : `${table} ${key}`} ${sentence}`
    const rest = more === 0 ? [] : [{ label: '…', value: `${more} more columns` }]
    return {
      subject: title,
      preheader: facts
        .slice(0, 3)
        .map(({ label, value }) => `${label}: ${value}`)
        .join(', '),
      blocks: [
        { kind: 'badge', text: badge, tone },
        { kind: 'title', text: title },
        {
          kind: 'facts',
          facts: [
            ...facts.map(({ before, ...fact }) =>
              before === undefined ? fact : { ...fact, before },
            ),
            ...rest,
            { label: 'When', value: formatInstant(at) },
          ],
        },
      ],
      footnote: `You get this mail because a rule watches ${table}.`,
    }
  },
})

const words: Record<Operation, { badge: string; sentence: string; tone: Tone }> = {
  insert: { badge: 'New', sentence: 'was inserted', tone: 'good' },
  update: { badge: 'Changed', sentence: 'was changed', tone: 'busy' },
  delete: { badge: 'Deleted', sentence: 'was deleted', tone: 'bad' },
  truncate: { badge: 'Emptied', sentence: 'was emptied', tone: 'bad' },
}

function pick({ table, key, op, at, new: now, old }: CapturedChange) {
  const row = now ?? old ?? {}
  const facts = Object.keys(row).map((column) => factOf(column, row, now && old))
  facts.sort((a, b) => Number(b.before !== undefined) - Number(a.before !== undefined))
  return {
    ...{ table, key: keyText(key), op, at },
    facts: facts.slice(0, FACTS_MAX),
    more: Math.max(0, facts.length - FACTS_MAX),
  }
}

function factOf(label: string, row: Row, old: Row | null): Fact {
  const value = said(row[label])
  const before = old === null ? value : said(old[label])
  return before === value ? { label, value } : { label, value, before }
}

/** As a person reads it. */
function said(value: Value | undefined): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return cut(typeof value === 'object' ? JSON.stringify(value) : String(value), VALUE_MAX)
}
