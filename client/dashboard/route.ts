import { everyMail, type MailQuery, mailParams, readMailQuery } from './mail/query.ts'

/** What is shown. It stands in the address, so that a reload, Back and a link find it. */
export type Route =
  | { page: 'orders'; search: string | null }
  | { page: 'order'; id: number }
  | { page: 'mail'; pane: 'mails'; query: MailQuery; open: number | null }
  | { page: 'mail'; pane: 'rules' }
  | { page: 'mail'; pane: 'templates'; template: string | null }

/** An address that says nothing we know is the orders'. */
export function readRoute(address: string): Route {
  const { pathname, searchParams } = new URL(address)
  const order = /^\/orders\/([1-9]\d{0,14})$/.exec(pathname)?.[1]
  if (order !== undefined) return { page: 'order', id: Number(order) }
  if (pathname !== '/mail') return { page: 'orders', search: searchParams.get('search') }
  const show = searchParams.get('show')
  if (show === 'rules') return { page: 'mail', pane: 'rules' }
  if (show === 'templates')
    return { page: 'mail', pane: 'templates', template: searchParams.get('template') }
  const mail = searchParams.get('mail') ?? ''
  return {
    page: 'mail',
    pane: 'mails',
    query: readMailQuery(searchParams),
    open: /^\d{1,15}$/.test(mail) ? Number(mail) : null,
  }
}

export function ordersPath(search: string): string {
  return `/?${new URLSearchParams({ search })}`
}

/** One order, with its life. */
export function orderPath(id: number | string): string {
  return `/orders/${id}`
}

export function titleOf(at: Route): string {
  if (at.page === 'order') return `Order #${at.id} · Belfry`
  return at.page === 'mail' ? 'Mail · Belfry' : 'Belfry'
}

export function mailsPath(query: Partial<MailQuery> = {}, open: number | null = null): string {
  const params = mailParams({ ...everyMail, ...query })
  if (open !== null) params.set('mail', String(open))
  return withParams('/mail', params)
}

export function rulesPath(): string {
  return '/mail?show=rules'
}

export function templatesPath(template: string | null = null): string {
  const params = new URLSearchParams({ show: 'templates' })
  if (template !== null) params.set('template', template)
  return withParams('/mail', params)
}

function withParams(path: string, params: URLSearchParams): string {
  return params.size === 0 ? path : `${path}?${params}`
}
