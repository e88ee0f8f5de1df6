import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { notFound, onError } from '../../worker/api/problem.ts'
import { webhooks } from '../../worker/api/webhooks.ts'
import type { Endpoint } from '../../worker/webhooks/endpoint.ts'
import { WELL } from '../../worker/webhooks/health.ts'
import { askedBy } from '../support/asked-by.ts'
import { newestServer } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const app = new OpenAPIHono()
app.onError(onError)
app.notFound(notFound)
app.use(askedBy)
app.route('/', webhooks)

export const filled = { table: 'orders', ops: ['update'], when: { status: { became: ['filled'] } } }
export const warehouse = {
  ...{ url: 'http://127.0.0.1:9999/in', description: 'the warehouse', rules: [filled] },
}

type Settings = Record<'DATABASE_URL' | 'NEON_ENDPOINT' | 'LINK_SECRET' | 'PUBLIC_URL', string> & {
  WEBHOOKS: object
}

type Answer = {
  status: number
  body: Record<string, unknown>
  location: string | null
  tag: string | null
}

/** The doors to the endpoints of webhooks, over a real database. */
export class EndpointsWorld {
  readonly db: WatchedDatabase
  /** What the endpoints' objects were told, in place of the objects themselves. */
  told: unknown[] = []
  registerFails = false
  #env: Settings | null = null

  /** Call it at the top of a file. */
  constructor() {
    this.db = WatchedDatabase.on(newestServer)
    let neon: Awaited<ReturnType<typeof serveNeonEndpoint>>
    beforeAll(async () => {
      neon = await serveNeonEndpoint(this.db.address.workerUrl, await freePort())
      this.#env = {
        DATABASE_URL: this.db.address.workerUrl,
        NEON_ENDPOINT: neon.url,
        LINK_SECRET: 'seals the cursors of these tests',
        PUBLIC_URL: 'http://127.0.0.1:8787',
        WEBHOOKS: { getByName: (id: string) => this.#sender(id) },
      }
    })
    afterAll(() => neon.close())
    beforeEach(() => {
      this.told = []
      this.registerFails = false
    })
  }

  get env(): Settings {
    if (this.#env === null) throw new Error('the world is there once its hooks have run')
    return this.#env
  }

  /** Whatever is there is changed, unless the headers name a version. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    settings: Settings = this.env,
  ): Promise<Answer> {
    const init = {
      method,
      headers: { 'content-type': 'application/json', 'if-match': '*', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    const response = await app.request(`/api/webhooks${path}`, init, settings)
    const text = await response.text()
    return {
      status: response.status,
      body: text === '' ? {} : JSON.parse(text),
      location: response.headers.get('location'),
      tag: response.headers.get('etag'),
    }
  }

  /** @returns its id */
  async register(fields: object = {}): Promise<string> {
    const { status, body } = await this.ask('POST', '', { ...warehouse, ...fields })
    expect({ status, body }).toMatchObject({ status: 201 })
    return String(body.id)
  }

  #sender(id: string) {
    return {
      register: async (endpoint: Endpoint) => {
        if (this.registerFails) throw new Error('no object')
        this.told.push({ register: endpoint })
        return 'whsec_shown once'
      },
      configure: async (endpoint: Endpoint) => void this.told.push({ configure: endpoint }),
      switchOn: async () => void this.told.push({ switchOn: id }),
      forget: async () => void this.told.push({ forget: id }),
      rotate: async () => ({ secret: 'whsec_new', previousUntil: 0 }),
      condition: async () => ({
        health: WELL,
        counts: { parked: 1 },
        nextAt: null,
        previousUntil: null,
      }),
    }
  }
}
