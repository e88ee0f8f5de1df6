import type { Missed } from './tell-inbox.ts'

/** Those that tell-inbox.ts could not tell, in the feed's own storage. */
export class MissedInboxes implements Missed {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS missed_inboxes (user TEXT PRIMARY KEY) WITHOUT ROWID')
  }

  get users(): ReadonlySet<string> {
    const rows = this.#sql.exec<{ user: string }>('SELECT user FROM missed_inboxes')
    return new Set(Array.from(rows, ({ user }) => user))
  }

  note(user: string, why: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO missed_inboxes VALUES (?)', user)
    console.warn(JSON.stringify({ message: 'an inbox could not be told', user, error: why }))
  }

  forget(user: string): void {
    this.#sql.exec('DELETE FROM missed_inboxes WHERE user = ?', user)
  }
}
