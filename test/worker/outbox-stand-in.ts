import { vi } from 'vitest'
import type { CapturedChange } from '../../protocol/change.ts'
import type { OutboxRow } from '../../protocol/outbox.ts'
import { databaseOfRules } from '../support/database-of-rules.ts'
import { SOURCE } from './link.ts'

type Statement = 'look' | 'claim' | 'forget'

/**
 * A database behind Neon's HTTP endpoint, in place of the network, as far as the feed's drain can
 * tell. What the real one answers is in test/postgres/drain.test.ts.
 */
export class OutboxStandIn {
  /** Oldest first, as the listener would find them. */
  readonly changes: CapturedChange[] = []
  source = SOURCE
  /** The newest. */
  term = 3
  /** The feed that the newest term names. */
  feed: string | null = null
  /** A look takes at most so many. */
  batch = 1_000
  /** Everything that was asked. */
  readonly asked: Statement[] = []
  /** What happens when something is asked, before it is answered; may answer itself. */
  before: (statement: Statement) => Promise<Response | undefined> = async () => undefined

  constructor() {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
      const text = String(init?.body)
      const { query, params } = JSON.parse(text) as Asked
      // The consumers' rules, which are no part of the drain.
      if (query.startsWith('SELECT to_json(t)'))
        return databaseOfRules({ url: '/sql', text: async () => text })
      const statement = statementOf(query)
      this.asked.push(statement)
      // What a look sees it sees now, however long its answer takes.
      const answer = this.#answer(statement, params)
      return (await this.before(statement)) ?? answer
    })
  }

  #answer(statement: Statement, params: string[]): Response {
    if (statement === 'look') return this.#look()
    if (statement === 'claim') this.feed ||= params[0] ?? null
    else this.#forget(params[0] ?? '')
    return answerWith({}, [])
  }

  #look(): Response {
    const owner = { source: this.source, feed: this.feed, term: this.term }
    const head = this.changes.slice(0, this.batch)
    const followed = this.changes.length > head.length
    const rows = head.map((change) => ({ ...owner, ...rowOf(change), followed }))
    return answerWith(types, rows.length > 0 ? rows : [{ ...owner, id: null }])
  }

  #forget(ids: string): void {
    const gone = ids.slice(1, -1).split(',')
    for (let at = this.changes.length - 1; at >= 0; at--)
      if (gone.includes(idOf(this.changes[at] as CapturedChange))) this.changes.splice(at, 1)
  }
}

/** An error as Neon's proxy passes it on. */
export function sqlError(code: string): Response {
  return Response.json({ message: 'in words', code }, { status: 400 })
}

type Asked = { query: string; params: string[] }

function statementOf(query: string): Statement {
  if (query.includes('belfry.peek')) return 'look'
  if (query.includes('INSERT INTO belfry.terms')) return 'claim'
  if (query.includes('DELETE FROM belfry.outbox')) return 'forget'
  throw new Error(`the stand-in does not know this statement: ${query}`)
}

/** The row's id in the outbox, made from the UUID. */
function idOf({ id }: CapturedChange): string {
  return String(Number.parseInt(id.slice(0, 8), 16))
}

function rowOf(change: CapturedChange): Omit<OutboxRow, 'followed'> {
  const image = (row: object | null) => (row === null ? null : JSON.stringify(row))
  const { id, table, op, key, at } = change
  return {
    ...{ id: idOf(change), change: id, table, op, key: null, at },
    key_columns: Object.keys(key ?? {}),
    ...{ new: image(change.new), old: image(change.old) },
    ...{ age_ms: 5, oversize: false },
  }
}

/** By the OIDs of Postgres: the driver reads the texts by them. */
const types: { [column: string]: number } = {
  ...{
    source: 2950,
    feed: 25,
    term: 25,
    id: 20,
    change: 2950,
    table: 25,
    op: 25,
    key_columns: 1009,
  },
  ...{ key: 25, new: 25, old: 25, at: 25, age_ms: 701, oversize: 16, followed: 16 },
}

function answerWith(columns: { [name: string]: number }, rows: Record<string, unknown>[]) {
  const fields = Object.entries(columns).map(([name, dataTypeID]) => ({ name, dataTypeID }))
  const texts = rows.map((row) => fields.map(({ name }) => textOf(row[name])))
  return Response.json({ command: 'SELECT', rowCount: rows.length, fields, rows: texts })
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return Array.isArray(value) ? `{${value.join()}}` : String(value)
}
