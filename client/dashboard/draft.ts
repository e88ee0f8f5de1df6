import type { Order, OrderDraft, Status } from './order.ts'

/** The form as it is typed: all text. */
export type Fields = { [name in keyof OrderDraft]: string }
export type FieldErrors = Readonly<Record<string, string>>

export type ReadDraft = { ok: true; draft: OrderDraft } | { ok: false; errors: FieldErrors }

export function fieldsOf(order: Order | null): Fields {
  return {
    customer_name: order?.customer_name ?? '',
    product_name: order?.product_name ?? '',
    amount: order ? order.amount.toFixed(2) : '',
    status: order?.status ?? 'pending',
    customer_email: order?.customer_email ?? '',
  }
}

/** Catches what would otherwise be misread; all other rules are the server's to say. */
export function readDraft(fields: Fields): ReadDraft {
  const errors: Record<string, string> = {}
  const customer_name = fields.customer_name.trim()
  const product_name = fields.product_name.trim()
  const amount = fields.amount.trim()
  if (customer_name === '') errors.customer_name = 'Who ordered it?'
  if (product_name === '') errors.product_name = 'What was ordered?'
  // No grouping: "1,200" is twelve hundred to some and one point two to others.
  if (!/^\d{1,8}(\.\d{1,2})?$/.test(amount))
    errors.amount = 'A number from 0 to 99999999.99, such as 120.50'
  if (Object.keys(errors).length > 0) return { ok: false, errors }
  return {
    ok: true,
    draft: {
      customer_name,
      product_name,
      amount: Number(amount),
      status: fields.status as Status,
      customer_email: fields.customer_email.trim() || null,
    },
  }
}

/** @returns the columns in which the draft differs from the order; none: nothing to save */
export function touched(order: Order, draft: OrderDraft): Partial<OrderDraft> {
  return Object.fromEntries(
    Object.entries(draft).filter(([name, value]) => order[name as keyof OrderDraft] !== value),
  )
}

/** The form over another order than the one it was opened with: what a person altered stays. */
export function rebase(fields: Fields, base: Order, current: Order): Fields {
  const [before, now] = [fieldsOf(base), fieldsOf(current)]
  const names = Object.keys(now) as (keyof Fields)[]
  const kept = names.filter((name) => fields[name] !== before[name])
  return { ...now, ...Object.fromEntries(kept.map((name) => [name, fields[name]])) }
}
