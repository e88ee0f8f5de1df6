import { type DeliveryState, deliveryStates } from '../../../protocol/delivery-states.ts'

/** Which mails a person wants to see. Nothing asked: all. */
export type MailQuery = {
  states: readonly DeliveryState[]
  order: string | null
  recipient: string | null
  rule: number | null
}

export const everyMail: MailQuery = { states: [], order: null, recipient: null, rule: null }

/** From an address: what cannot be read is left out, as an old link may say anything. */
export function readMailQuery(params: URLSearchParams): MailQuery {
  const asked = new Set(params.get('state')?.split(','))
  const rule = params.get('rule') ?? ''
  return {
    states: deliveryStates.filter((state) => asked.has(state)),
    order: params.get('order') || null,
    recipient: params.get('recipient') || null,
    rule: /^\d{1,15}$/.test(rule) ? Number(rule) : null,
  }
}

/** The same names in the address of the page and in a request. */
export function mailParams({ states, order, recipient, rule }: MailQuery): URLSearchParams {
  const params = new URLSearchParams()
  if (states.length > 0) params.set('state', states.join(','))
  if (order !== null) params.set('order', order)
  if (recipient !== null) params.set('recipient', recipient)
  if (rule !== null) params.set('rule', String(rule))
  return params
}

/** As a redrive takes it. */
export function mailFilter({ states, order, recipient, rule }: MailQuery) {
  return {
    ...(states.length > 0 && { state: states }),
    ...(order !== null && { order }),
    ...(recipient !== null && { recipient }),
    ...(rule !== null && { rule }),
  }
}

/** `#42` or `42` is an order, anything else a recipient. */
export function readSearch(text: string): Pick<MailQuery, 'order' | 'recipient'> {
  const trimmed = text.trim()
  const order = /^#?(\d+)$/.exec(trimmed)?.[1] ?? null
  return { order, recipient: order === null && trimmed !== '' ? trimmed : null }
}

export function searchText({ order, recipient }: MailQuery): string {
  return order !== null ? `#${order}` : (recipient ?? '')
}
