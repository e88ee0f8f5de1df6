import { createExecutionContext } from 'cloudflare:test'
import { vi } from 'vitest'
import { app } from '../../worker/app.ts'
import { answerOfRules } from '../support/database-of-rules.ts'
import { bindings } from './link.ts'
import { Subscriber } from './subscriber.ts'

type Columns = Record<string, readonly string[]>

/** Postgres's type numbers, as Neon's answers name them. */
const JSON_TYPE = 114
const TEXT_TYPE = 25

/**
 * The worker before a database that a test speaks for. Each has an address of its own, so that
 * none knows the catalog of another.
 */
export class DatabaseStandIn {
  /** Every statement that reached it, but for the consumers' own: they read rules of their own. */
  readonly statements: string[] = []
  readonly #address = `https://${crypto.randomUUID()}.test/sql`
  #answer: (statement: string, params: string[]) => Response | Promise<Response>

  constructor(answer: (statement: string, params: string[]) => Response | Promise<Response>) {
    this.#answer = answer
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (String(input) !== this.#address) throw new TypeError(`nothing is at ${input}`)
      const { query, params } = JSON.parse(String(init?.body))
      const ofConsumers = answerOfRules(query)
      if (ofConsumers) return ofConsumers
      this.statements.push(query)
      return this.#answer(query, params)
    })
  }

  /** It watches tables with these columns, the first of which is the key. */
  static watching(tables: Columns): DatabaseStandIn {
    return new DatabaseStandIn(() => watched(tables))
  }

  static down(): DatabaseStandIn {
    return new DatabaseStandIn(() => {
      throw new TypeError('fetch failed')
    })
  }

  answers(answer: (statement: string, params: string[]) => Response | Promise<Response>): void {
    this.#answer = answer
  }

  visit(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const env = { ...bindings, NEON_ENDPOINT: this.#address }
    const request = new Request(`http://belfry.test${path}`, { headers })
    return Promise.resolve(app.fetch(request, env, createExecutionContext()))
  }

  async subscribe(query = ''): Promise<Subscriber> {
    const response = await this.visit(`/api/changes/ws${query}`, { upgrade: 'websocket' })
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`)
    return new Subscriber(response.webSocket)
  }
}

export function watched(tables: Columns): Response {
  const rows = Object.entries(tables).map(([name, columns]) => [
    name,
    `ONLY public.${name}`,
    JSON.stringify([{ name: columns[0], sql: columns[0], type: 'pg_catalog.int8' }]),
    JSON.stringify(columns.map((column) => ({ name: column, type: 'text' }))),
  ])
  return answer({ name: TEXT_TYPE, relation: TEXT_TYPE, key: JSON_TYPE, columns: JSON_TYPE }, rows)
}

/** A page of rows, as the statement of row-page.ts gives it. */
export function rowPage(rows: [row: string | null, key: string | null, after: string | null][]) {
  return answer({ row: TEXT_TYPE, key: TEXT_TYPE, after: JSON_TYPE }, rows)
}

export function refusedWith(code: string): Response {
  return Response.json({ message: 'inner words', code }, { status: 400 })
}

function answer(types: Record<string, number>, rows: (string | null)[][]): Response {
  const fields = Object.entries(types).map(([name, dataTypeID]) => ({ name, dataTypeID }))
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}
