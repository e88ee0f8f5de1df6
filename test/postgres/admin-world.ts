import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { Row } from '../../protocol/change.ts'
import { audit } from '../../worker/api/audit.ts'
import { keys } from '../../worker/api/keys.ts'
import { notificationCategories } from '../../worker/api/notification-categories.ts'
import { notificationRedrive } from '../../worker/api/notification-redrive.ts'
import { notifications } from '../../worker/api/notifications.ts'
import { orders } from '../../worker/api/orders.ts'
import { notFound, onError } from '../../worker/api/problem.ts'
import { revocations } from '../../worker/api/revocations.ts'
import { users } from '../../worker/api/users.ts'
import type { Cut } from '../../worker/doors/session.ts'
import { askedBy } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const app = new OpenAPIHono()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', users)
app.route('/', notificationRedrive)
app.route('/', notifications)
app.route('/', notificationCategories)
app.route('/', orders)
app.route('/', keys)
app.route('/', revocations)
app.route('/', audit)

export type Answer = {
  status: number
  body: Record<string, unknown>
  location: string | null
  tag: string | null
  request: string | null
}

type Told = { user: string; notifications: Row[]; row: Row | null }

/** What those who run it write, over a real database. In place of inboxes, what they were told. */
export class AdminWorld {
  readonly db: WatchedDatabase
  told: Told[] = []
  /** What the feed was told to cut. */
  cuts: Cut[] = []
  #endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>> | null = null
  #waiting: Promise<unknown>[] = []

  /** Call it at the top of a file. */
  constructor() {
    this.db = WatchedDatabase.on(newestServer)
    beforeAll(async () => {
      this.#endpoint = await serveNeonEndpoint(this.db.address.workerUrl, await freePort())
    })
    beforeEach(() => {
      this.told = []
      this.cuts = []
    })
    afterAll(() => this.#endpoint?.close())
  }

  async request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const env = {
      DATABASE_URL: this.db.address.workerUrl,
      NEON_ENDPOINT: this.#endpoint?.url,
      LINK_SECRET: 'seals the cursors of these tests',
      INBOX: { getByName: (user: string) => this.#inbox(user) },
      KEYRING: { getByName: () => ({ renew: async () => undefined }) },
      FEED: { getByName: () => ({ cut: async (cut: Cut) => void this.cuts.push(cut) }) },
    }
    const context = {
      waitUntil: (promise: Promise<unknown>) => void this.#waiting.push(promise),
      passThroughOnException: () => undefined,
      props: {},
    }
    return app.request(path, { method, ...init }, env, context)
  }

  /**
   * What is left to do after the answer is done when this comes back. Whatever is there is changed,
   * unless the headers name a version.
   */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await this.request(method, path, {
      ...sent,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        'if-match': '*',
        ...headers,
      },
    })
    const text = await response.text()
    await Promise.all(this.#waiting.splice(0))
    return {
      status: response.status,
      body: text === '' ? {} : JSON.parse(text),
      location: response.headers.get('location'),
      tag: response.headers.get('etag'),
      request: response.headers.get('x-request-id'),
    }
  }

  #inbox(user: string) {
    return {
      tell: async (rows: { notifications: Row[]; user: Row | null }) =>
        void this.told.push({ user, notifications: rows.notifications, row: rows.user }),
    }
  }
}
