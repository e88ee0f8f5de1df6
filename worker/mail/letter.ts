import { html } from './markup.ts'
import type { FilledOrder } from './owed.ts'

/**
 * The mail that says an order is filled. The same order gives the same letter, byte for byte:
 * a repetition under one idempotency key must not differ. Values are strangers' text: they
 * stay on one line, within their element, and in their own direction.
 */
export type Letter = { subject: string; html: string; text: string }

const SUBJECT_MAX = 150
const VALUE_MAX = 200

export function filledLetter(order: FilledOrder): Letter {
  const number = onOneLine(String(order.id), 20)
  const product = onOneLine(order.product_name, VALUE_MAX)
  const customer = onOneLine(order.customer_name, VALUE_MAX)
  const content: Content = {
    title: `Order ${number} is filled`,
    preview: `${product} for ${customer}`,
    facts: [
      ['Product', product],
      ['Customer', customer],
      ['Amount', formatAmount(order.amount)],
      ['Filled', formatInstant(order.updated_at)],
    ],
    footnote: 'You get this mail because the order is yours, or because you look after orders.',
  }
  return {
    subject: onOneLine(`${content.title}: ${content.preview}`, SUBJECT_MAX),
    html: html(content),
    text: plain(content),
  }
}

/** What both forms say; every text already on one line, none of it escaped. */
export type Content = {
  title: string
  preview: string
  facts: [label: string, value: string][]
  footnote: string
}

function plain({ title, facts, footnote }: Content): string {
  const lines = facts.map(([label, value]) => `${`${label}:`.padEnd(10)}${value}`)
  return [`${title}.`, '', ...lines, '', footnote, ''].join('\n')
}

/**
 * Control characters and line ends become spaces; marks that turn the writing direction of what
 * follows are dropped; what is too long ends in an ellipsis.
 */
function onOneLine(text: string, max: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim()
  const characters = Array.from(line)
  return characters.length <= max
    ? line
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}

/** `1,234.50`; what is not a number stays as it is. */
function formatAmount(amount: number | string): string {
  const number = Number(amount)
  if (!Number.isFinite(number)) return onOneLine(String(amount), 40)
  return number.toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** `21 November 2026, 08:33 UTC`; what is not a time stays as it is. */
function formatInstant(instant: string): string {
  const time = Date.parse(instant)
  if (Number.isNaN(time)) return onOneLine(instant, 40)
  const [day, clock] = (['date', 'time'] as const).map((part) =>
    new Intl.DateTimeFormat('en-GB', {
      timeZone: 'UTC',
      ...(part === 'date' ? { dateStyle: 'long' } : { timeStyle: 'short' }),
    }).format(time),
  )
  return `${day}, ${clock} UTC`
}
