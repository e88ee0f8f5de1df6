import { getTableColumns } from 'drizzle-orm'
import { sign } from 'hono/jwt'
import { orders } from '../../drizzle/schema.ts'
import type { Row } from '../../protocol/change.ts'
import { DatabaseStandIn, oneJson, watched } from './database-stand-in.ts'
import { orderRow } from './link.ts'
import { Subscriber } from './subscriber.ts'

/** Two users, whose ids stand in nothing else. */
export const ADA = '700000007'
export const BOB = '800000008'
/** Stands in whatever is Bob's. */
export const SECRET = 'what only Bob may see'

export const AUTH_SECRET = 'signs users in, in the tests'
export const AUTH_SECRET_PREVIOUS = 'signed users in, until it was rotated'

/** @param claims instead of, or besides, those of a good one; undefined takes one away */
export function token(
  user: string,
  claims: Record<string, unknown> = {},
  secret = AUTH_SECRET,
): Promise<string> {
  const all = { sub: user, exp: Math.floor(Date.now() / 1000) + 600, ...claims }
  return sign(JSON.parse(JSON.stringify(all)), secret, 'HS256')
}

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

/** Notifications 71 to 73 are Ada's, 81 to 83 Bob's. */
export const idsOf = (user: string) => [1, 2, 3].map((n) => (user === ADA ? 70 : 80) + n)

/** The worker before a database with the two, and what each of them has. */
export class MeWorld {
  /** Every value that was given to a statement. */
  readonly given: string[] = []
  readonly database: DatabaseStandIn

  constructor() {
    this.database = new DatabaseStandIn((statement, params) => {
      this.given.push(...params.map(String))
      return answerTo(statement, params)
    })
  }

  /** A request of Ada's, unless its headers say otherwise. */
  async ask(method: string, path: string, given: Asked = {}): Promise<Response> {
    const { body, headers = bearer(await token(ADA)) } = given
    const request = new Request(`http://belfry.test${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return this.database.fetch(request, { AUTH_SECRET, AUTH_SECRET_PREVIOUS })
  }

  /** A socket, as a browser opens it or (with a token) as anyone else does. */
  async socket(path: string, headers: Record<string, string> = {}): Promise<Subscriber> {
    const response = await this.ask('GET', path, { headers: { ...headers, upgrade: 'websocket' } })
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`)
    return new Subscriber(response.webSocket)
  }

  async ticket(user: string, topic: 'notifications' | 'orders'): Promise<string> {
    const headers = bearer(await token(user))
    const response = await this.ask('POST', '/api/me/tickets', { headers, body: { topic } })
    return (await response.json<{ ticket: string }>()).ticket
  }
}

type Asked = { body?: unknown; headers?: Record<string, string> }

/** As Postgres would, of what the statement's own user has. */
function answerTo(statement: string, params: string[]): Response {
  if (statement.includes('belfry.watched'))
    return watched({ orders: ['id', 'status', 'customer_id'], users: ['id', 'email'] })
  const user = params[0] ?? ''
  if (statement.includes('inbox_window'))
    return oneJson('answer', {
      user: userRow(user),
      notifications: notificationsOf(user).toReversed(),
      complete: true,
      older: { unseen: 0, unread: 0, expires_ms: null },
      next_ms: null,
    })
  if (statement.includes('mark_notifications')) {
    const ids = (params[2] ?? '').slice(1, -1).split(',').map(Number)
    const marked = notificationsOf(user).filter(({ id }) => ids.includes(id as number))
    return oneJson('json', { notifications: marked, user: userRow(user) })
  }
  if (statement.includes('mark_all')) return oneJson('json', { user: userRow(user), before: null })
  if (statement.includes("'notification'")) {
    const found = notificationsOf(params[1] ?? '').find(({ id }) => String(id) === params[0])
    return oneJson('json', found ? { notification: found, user: userRow(params[1] ?? '') } : null)
  }
  if (statement.includes('notification_categories')) {
    const general = { name: 'general', critical: false, inbox: true, mail: true, webhook: true }
    return oneJson('json', { user: userRow(params.at(-1) ?? ''), categories: [general] })
  }
  if (statement.includes('public.users u')) return oneJson('json', userRow(user))
  if (statement.includes('from "orders"')) return ordersOf(user)
  return Response.json({ fields: [], rows: [], command: 'UPDATE', rowCount: 1 })
}

const AT = '2026-11-21T08:33:55.123456+00:00'

function userRow(user: string): Row | null {
  if (user !== ADA && user !== BOB) return null
  return {
    id: Number(user),
    name: user === ADA ? 'Ada' : SECRET,
    email: null,
    can_receive_notifications: true,
    version: 1,
    created_at: AT,
    updated_at: AT,
    time_zone: 'UTC',
    quiet_from: null,
    quiet_to: null,
    digest: 'off',
    digest_at: '08:00:00',
    last_opened_at: null,
    all_read_at: null,
    all_archived_at: null,
  }
}

export function notificationsOf(user: string): Row[] {
  if (user !== ADA && user !== BOB) return []
  return idsOf(user).map((id) => notificationRow(user, id))
}

export function notificationRow(user: string, id: number): Row {
  return {
    ...{ id, user_id: Number(user), category: 'general' },
    ...{ title: user === ADA ? `Ada's ${id}` : SECRET, content: {}, link: null, origin: null },
    ...{ scheduled_at: null, expires_at: null, state: 'delivered', problem: null },
    ...{ deliver_at: AT, delivered_at: AT, digested: false },
    ...{ to_inbox: true, to_mail: true, to_webhook: true },
    ...{ seen_at: null, unseen_at: null, read_at: null, unread_at: null },
    ...{ archived_at: null, unarchived_at: null, version: 1, created_at: AT, updated_at: AT },
  }
}

/** Of an order: as a change carries it. */
export function orderOf(user: string | null, id: number): Row {
  const product_name = user === ADA ? 'Bell' : SECRET
  return { ...orderRow('pending'), id, product_name, customer_id: user && Number(user) }
}

function ordersOf(user: string): Response {
  const columns = Object.keys(getTableColumns(orders))
  const row = user === ADA ? orderOf(ADA, 71) : orderOf(BOB, 81)
  const rows = [columns.map((column) => row[column] && String(row[column]))]
  const fields = columns.map((name) => ({ name, dataTypeID: 25 }))
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}
