import { createExecutionContext } from 'cloudflare:test'
import { vi } from 'vitest'
import type { Row } from '../../protocol/change.ts'
import type { Mark } from '../../protocol/notification.ts'
import { app } from '../../worker/app.ts'
import type { InboxDatabase } from '../support/inbox-database.ts'
import { oneJson } from './database-stand-in.ts'
import { env, InboxWorld, Tab } from './inbox-world.ts'
import { AUTH_SECRET, bearer, token } from './me-world.ts'
import { Subscriber } from './subscriber.ts'

/** One user, who asks the worker before a database that answers the worker and the object. */
export class MeInboxWorld extends InboxWorld {
  /** Every value of what the worker wrote. */
  readonly written: string[][] = []
  readonly #ofObjects: typeof fetch

  constructor() {
    super()
    const ofObjects = vi.mocked(globalThis.fetch).getMockImplementation()
    if (!ofObjects) throw new Error('nothing answers the objects')
    this.#ofObjects = ofObjects
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => this.#answer(input, init))
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const request = new Request(`http://belfry.test${path}`, {
      method,
      headers: {
        ...bearer(await token(this.name)),
        'if-match': '*',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return app.fetch(request, { ...env, AUTH_SECRET }, createExecutionContext())
  }

  async json<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer & { status: number }> {
    const response = await this.ask(method, path, body)
    return { ...(await response.json<Answer>()), status: response.status }
  }

  async tab(query = ''): Promise<Tab> {
    const path = `/api/me/notifications/ws${query}`
    const { webSocket } = await this.ask('GET', path, undefined, { upgrade: 'websocket' })
    if (!webSocket) throw new Error('no socket')
    return new Tab(new Subscriber(webSocket))
  }

  async #answer(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    const { query, params, queries } = JSON.parse(String(init?.body))
    if (queries) {
      for (const { query, params } of queries)
        if (/^(insert|update)/.test(query)) this.written.push(params)
      const none = { fields: [], rows: [], command: 'UPDATE', rowCount: 1 }
      return Response.json({ results: queries.map(() => none) })
    }
    if (!/ AS json\b/.test(query)) return this.#ofObjects(input, init)
    if (this.database.isDown) throw new TypeError('fetch failed')
    return oneJson('json', answerTo(this.database, query, params))
  }
}

/** What is asked under /api/me, by the law of the database. */
function answerTo(database: InboxDatabase, query: string, params: string[]): unknown {
  const { user } = database
  const isTheirs = (id: number) => database.inbox().some((row) => row.id === id)
  if (query.includes('mark_notifications')) {
    const [, , ids = '', mark, undo] = params
    const own = ids.slice(1, -1).split(',').map(Number).filter(isTheirs)
    const notifications = own.map((id) => database.mark(id, mark as Mark, undo === 'true'))
    return { notifications, user }
  }
  if (query.includes('mark_all')) {
    const [, mark, through, undo] = params as [string, Mark, string | null, string]
    if (!user) return null
    const before = user[allOf[mark]] as string | null
    const at = undo === 'true' ? through : (through ?? database.time())
    const isLater = before === null || (at !== null && at > before)
    return {
      user: undo === 'true' || isLater ? database.markAll(mark, at) : user,
      before,
    }
  }
  if (query.includes('inbox_page')) return pageOf(database, params)
  if (query.includes('notification_categories'))
    return (
      user && {
        user: { time_zone: 'UTC', digest: 'off', digest_at: '08:00:00', ...user },
        tag: 'as-they-are',
        categories: [
          { name: 'general', critical: false, inbox: true, mail: true, webhook: false },
          { name: 'security', critical: true, inbox: true, mail: true, webhook: true },
        ],
      }
    )
  if (query.includes("'notification'")) {
    const row = database.inbox().find(({ id }) => String(id) === params[0])
    return row ? { notification: row, user } : null
  }
  return user && { email: null, time_zone: 'UTC', digest: 'off', digest_at: '08:00:00', ...user }
}

const allOf = { seen: 'last_opened_at', read: 'all_read_at', archived: 'all_archived_at' } as const

function pageOf(database: InboxDatabase, params: (string | null)[]): Row[] {
  const [, at, id, size, which, category] = params
  const isBefore = (row: Row) =>
    at == null ||
    String(row.delivered_at) < at ||
    (row.delivered_at === at && Number(row.id) < Number(id))
  const isListed = (row: Row) => {
    const [isRead, isArchived] = [database.is('read', row), database.is('archived', row)]
    if (which === 'all') return true
    return which === 'archived' ? isArchived : !isArchived && (which === 'active' || !isRead)
  }
  return database
    .inbox()
    .filter((row) => isBefore(row) && isListed(row))
    .filter((row) => category === null || row.category === category)
    .slice(0, Number(size))
}
