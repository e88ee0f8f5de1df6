import { AT_EASE, type Pace } from './pace.ts'

/** The pace, in one row: it outlives the object, as a provider that asked for an hour means it. */
export class PaceRecord {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL, failures INTEGER NOT NULL, why TEXT)',
    )
  }

  get now(): Pace {
    return this.#sql.exec<Pace>('SELECT until, failures, why FROM pace').toArray()[0] ?? AT_EASE
  }

  set({ until, failures, why }: Pace): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO pace (one, until, failures, why) VALUES (1, ?, ?, ?)',
      ...[until, failures, why],
    )
  }
}
