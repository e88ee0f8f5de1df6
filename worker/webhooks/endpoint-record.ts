import type { Endpoint } from './endpoint.ts'
import { type Health, WELL } from './health.ts'
import type { Notice } from './notice.ts'
import { newSecret } from './signature.ts'

/** How long the secret before the newest stays in force. */
export const ROTATION_MS = 24 * 3_600_000

/**
 * What the object of one endpoint knows beside its ledger: where the endpoint is, how it fares,
 * and its secrets, which stand nowhere else and leave it only at the moment they are made.
 */
export class EndpointRecord {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS endpoint (
        one          INTEGER PRIMARY KEY CHECK (one = 1),
        id           TEXT    NOT NULL,
        url          TEXT    NOT NULL,
        enabled      INTEGER NOT NULL,
        version      INTEGER NOT NULL,
        health       TEXT    NOT NULL,
        checked_at   INTEGER NOT NULL DEFAULT 0
      );
      CREATE TABLE IF NOT EXISTS secrets (secret TEXT PRIMARY KEY, made_at INTEGER NOT NULL, until INTEGER);
      CREATE TABLE IF NOT EXISTS notices (id TEXT PRIMARY KEY, since INTEGER NOT NULL, last_error TEXT NOT NULL);
    `)
  }

  get endpoint(): Endpoint | null {
    const [row] = this.#sql.exec<{ id: string; url: string; enabled: number; version: number }>(
      'SELECT id, url, enabled, version FROM endpoint',
    )
    return row ? { ...row, enabled: row.enabled === 1 } : null
  }

  /** @returns whether it was news; what is not newer is dropped */
  configure({ id, url, enabled, version }: Endpoint): boolean {
    const written = this.#sql.exec(
      `INSERT INTO endpoint (one, id, url, enabled, version, health) VALUES (1, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE
          SET enabled = excluded.enabled, version = excluded.version, url = excluded.url,
              checked_at = iif(url = excluded.url, checked_at, 0)
        WHERE version < excluded.version RETURNING 1`,
      ...[id, url, enabled ? 1 : 0, version, JSON.stringify(WELL)],
    )
    return written.toArray().length > 0
  }

  get health(): Health {
    const [row] = this.#sql.exec<{ health: string }>('SELECT health FROM endpoint')
    return row ? JSON.parse(row.health) : WELL
  }

  set health(health: Health) {
    this.#sql.exec('UPDATE endpoint SET health = ?', JSON.stringify(health))
  }

  /** When it was last found to be where it should, and where it may; 0 if never. */
  get checkedAt(): number {
    const [row] = this.#sql.exec<{ at: number }>('SELECT checked_at AS at FROM endpoint')
    return row?.at ?? 0
  }

  set checkedAt(at: number) {
    this.#sql.exec('UPDATE endpoint SET checked_at = ?', at)
  }

  /** Those in force, the newest first; one is made if there is none. */
  secrets(now: number): string[] {
    this.#sql.exec('DELETE FROM secrets WHERE until <= ?', now)
    const rows = this.#sql.exec<{ secret: string }>(
      'SELECT secret FROM secrets ORDER BY until IS NOT NULL, made_at DESC',
    )
    const secrets = rows.toArray().map(({ secret }) => secret)
    return secrets.length > 0 ? secrets : [this.rotate(now)]
  }

  /**
   * Two are in force at most: the newest, and for a day the one before it.
   * @returns the new secret, for the only time
   */
  rotate(now: number): string {
    const secret = newSecret()
    this.#sql.exec('DELETE FROM secrets WHERE until IS NOT NULL')
    this.#sql.exec('UPDATE secrets SET until = ?', now + ROTATION_MS)
    this.#sql.exec('INSERT INTO secrets VALUES (?, ?, NULL)', secret, now)
    return secret
  }

  /** Until when the secret before the newest is in force; null if there is none. */
  previousUntil(now: number): number | null {
    return this.#sql
      .exec<{ until: number | null }>(
        'SELECT max(until) AS until FROM secrets WHERE until > ?',
        now,
      )
      .one().until
  }

  get notices(): Notice[] {
    return this.#sql
      .exec<Notice>('SELECT id, since, last_error AS lastError FROM notices ORDER BY since')
      .toArray()
  }

  addNotice({ id, since, lastError }: Notice): void {
    this.#sql.exec('INSERT INTO notices VALUES (?, ?, ?)', id, since, lastError)
  }

  removeNotice(id: string): void {
    this.#sql.exec('DELETE FROM notices WHERE id = ?', id)
  }
}
