import pg from 'pg'
import type { Operation } from '../../protocol/change.ts'
import type { Told } from './history.ts'

const PAGE = 20_000

type AuditRow = {
  seq: string
  table: string
  op: Operation
  key: object | null
  old: object | null
  new: object | null
  oversize: boolean
}

/** The audit, in the order of its sequence. */
export async function* readAudit(url: string): AsyncGenerator<Told> {
  const query = `SELECT seq, "table", op, key, old, new, oversize FROM test.audit ORDER BY seq`
  for await (const { seq, ...told } of read<AuditRow>(url, query))
    yield { ...told, place: Number(seq) }
}

/** A table's rows, each column as text. */
export async function* eachRow(url: string, relation: string): AsyncGenerator<object> {
  const query = `SELECT test.texts(to_jsonb(t)) AS row FROM ${relation} t`
  for await (const { row } of read<{ row: object }>(url, query)) yield row
}

/** How many changes were committed, and how many are still owed to the feed. */
export async function countChanges(url: string): Promise<{ committed: number; owed: number }> {
  const query = `SELECT (SELECT count(*)::int FROM test.audit) AS committed,
            (SELECT count(*)::int FROM belfry.outbox WHERE "table" <> 'belfry.canary') AS owed`
  for await (const counts of read<{ committed: number; owed: number }>(url, query)) return counts
  return { committed: 0, owed: 0 }
}

async function* read<Row extends object>(url: string, query: string): AsyncGenerator<Row> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`BEGIN; DECLARE pages NO SCROLL CURSOR FOR ${query}`)
    for (;;) {
      const { rows } = await client.query<Row>(`FETCH ${PAGE} FROM pages`)
      yield* rows
      if (rows.length < PAGE) return
    }
  } finally {
    await client.end()
  }
}
