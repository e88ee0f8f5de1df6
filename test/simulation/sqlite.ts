import { DatabaseSync, type StatementSync } from 'node:sqlite'

/**
 * What log.ts uses of a Durable Object's storage, over Node's own SQLite: so a part of the
 * schedules runs the real log. One database serves them all, emptied each time, because opening
 * one takes as long as a schedule.
 */
const database = new DatabaseSync(':memory:')
const statements = new Map<string, StatementSync>()

export function sqliteStorage(): object {
  for (const table of ['batches', 'seen']) if (exists(table)) database.exec(`DELETE FROM ${table}`)
  return { sql: { exec, databaseSize: 0 }, transactionSync }
}

function exists(table: string): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined
}

function exec(query: string, ...values: (string | number | null)[]): Cursor {
  // Several statements at once: only where the tables are made and emptied.
  if (query.trimEnd().endsWith(';')) {
    database.exec(query)
    return new Cursor([])
  }
  let statement = statements.get(query)
  if (statement === undefined) {
    statement = database.prepare(query)
    statements.set(query, statement)
  }
  return new Cursor(statement.all(...values))
}

function transactionSync<T>(run: () => T): T {
  database.exec('BEGIN')
  try {
    const result = run()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

class Cursor {
  readonly #rows: unknown[]

  constructor(rows: unknown[]) {
    this.#rows = rows
  }

  one(): unknown {
    if (this.#rows.length !== 1) throw new Error(`expected one row, got ${this.#rows.length}`)
    return this.#rows[0]
  }

  toArray(): unknown[] {
    return this.#rows
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#rows[Symbol.iterator]()
  }
}
