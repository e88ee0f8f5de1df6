import { createExecutionContext } from 'cloudflare:test'
import { neonConfig } from '@neondatabase/serverless'
import { vi } from 'vitest'
import { app } from '../../worker/app.ts'
import type { Env } from '../../worker/env.ts'
import { answerOfRules, answerWithRing, type Ring } from '../support/database-of-rules.ts'
import { bindings } from './link.ts'
import { Subscriber } from './subscriber.ts'

type Columns = Record<string, readonly string[]>
type Asked = { query: string; params: string[] }

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
  /** Who is let in by a key, and who no more. */
  ring: Ring = { keys: [], revoked: {} }
  /** How often it was asked that, and whether it answers. */
  ringsAsked = 0
  hasRing = true
  readonly #address = `https://${crypto.randomUUID()}.test/sql`
  #answer: (statement: string, params: string[]) => Response | Promise<Response>

  constructor(answer: (statement: string, params: string[]) => Response | Promise<Response>) {
    this.#answer = answer
    // Objects have no setting of their own: they ask where it was asked last.
    neonConfig.fetchEndpoint = this.#address
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (String(input) !== this.#address) throw new TypeError(`nothing is at ${input}`)
      const { queries, ...one }: Asked & { queries?: Asked[] } = JSON.parse(String(init?.body))
      if (queries === undefined) return this.#answerOne(one)
      const answers = await Promise.all(queries.map((each) => this.#answerOne(each)))
      const refused = answers.find(({ ok }) => !ok)
      return (
        refused ?? Response.json({ results: await Promise.all(answers.map((each) => each.json())) })
      )
    })
  }

  async #answerOne({ query, params }: Asked): Promise<Response> {
    if (query.includes('belfry.keyring()')) {
      this.ringsAsked++
      return this.hasRing ? answerWithRing(this.ring) : new Response('down', { status: 502 })
    }
    const ofConsumers = answerOfRules(query)
    if (ofConsumers) return ofConsumers
    this.statements.push(query)
    return this.#answer(query, params)
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
    return this.fetch(new Request(`http://belfry.test${path}`, { headers }))
  }

  /** @param settings of the worker, besides those of the tests */
  fetch(request: Request, settings: Partial<Env> = {}): Promise<Response> {
    const env = { ...bindings, NEON_ENDPOINT: this.#address, ...settings }
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

/** One row with one column, as oneJson and the inboxes ask for it. */
export function oneJson(column: 'json' | 'answer', value: unknown): Response {
  return answer({ [column]: TEXT_TYPE }, [[value === null ? null : JSON.stringify(value)]])
}

export function ids(...found: string[]): Response {
  return answer(
    { id: TEXT_TYPE },
    found.map((id) => [id]),
  )
}

function answer(types: Record<string, number>, rows: (string | null)[][]): Response {
  const fields = Object.entries(types).map(([name, dataTypeID]) => ({ name, dataTypeID }))
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}
