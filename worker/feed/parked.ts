import type { Position } from '../../protocol/position.ts'

/** So many characters of changes make a page, however many were asked for. */
const PAGE_CHARACTERS = 1_000_000

/** A change that a consumer has given up. */
export type ParkedChange = {
  consumer: string
  epoch: string
  offset: number
  /** How often it was handed over. */
  attempts: number
  error: string
  /** When it was given up, or last handed over again: ms since 1970. */
  at: number
  /** The change as JSON. */
  change: string
}

/** Newest first; `nextCursor` is null at the end. */
export type ParkedPage = { parked: ParkedChange[]; nextCursor: number | null }

/**
 * What consumers have given up, kept until a person has it handed over again or drops it.
 *
 * A place is an epoch and an offset: a new life of the feed gives its offsets anew, and what was
 * parked in an earlier one stays.
 */
export class Parked {
  readonly #sql: SqlStorage

  /** @param epoch the current one */
  constructor(sql: SqlStorage, epoch: () => string, attemptsBefore: number) {
    this.#sql = sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS parked_changes (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        consumer TEXT NOT NULL,
        epoch    TEXT NOT NULL,
        "offset" INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        error    TEXT NOT NULL,
        at       INTEGER NOT NULL,
        change   TEXT NOT NULL,
        UNIQUE (consumer, epoch, "offset")
      )`)
    this.#moveFromBefore(epoch, attemptsBefore)
  }

  put(parked: Omit<ParkedChange, 'at'>): void {
    const { consumer, epoch, offset, attempts, error, change } = parked
    this.#sql.exec(
      `INSERT INTO parked_changes (consumer, epoch, "offset", attempts, error, at, change)
       VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET attempts = excluded.attempts, error = excluded.error, at = excluded.at`,
      ...[consumer, epoch, offset, attempts, error, Date.now(), change],
    )
  }

  get(consumer: string, { epoch, offset }: Position): ParkedChange | null {
    const [row] = this.#sql.exec<ParkedChange>(
      'SELECT consumer, epoch, "offset", attempts, error, at, change FROM parked_changes WHERE consumer = ? AND epoch = ? AND "offset" = ?',
      ...[consumer, epoch, offset],
    )
    return row ?? null
  }

  /** @returns whether it was there */
  remove(consumer: string, { epoch, offset }: Position): boolean {
    const removed = this.#sql.exec(
      'DELETE FROM parked_changes WHERE consumer = ? AND epoch = ? AND "offset" = ? RETURNING 1',
      ...[consumer, epoch, offset],
    )
    return removed.toArray().length > 0
  }

  /**
   * @param consumer null for all
   * @param before the cursor of the page before; null for the first
   */
  list(consumer: string | null, limit: number, before: number | null): ParkedPage {
    const parked: ParkedChange[] = []
    let characters = 0
    let nextCursor: number | null = null
    const rows = this.#sql.exec<ParkedChange & { id: number }>(
      `SELECT * FROM parked_changes
        WHERE (?1 IS NULL OR consumer = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3`,
      ...[consumer, before, limit + 1],
    )
    for (const { id, ...row } of rows) {
      characters += row.change.length
      if (parked.length === limit || (parked.length > 0 && characters > PAGE_CHARACTERS))
        return { parked, nextCursor }
      parked.push(row)
      nextCursor = id
    }
    return { parked, nextCursor: null }
  }

  /** An earlier version knew the offset alone, which the next life of the feed gives again. */
  #moveFromBefore(epoch: () => string, attempts: number): void {
    const before = this.#sql.exec(
      `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'parked'`,
    )
    if (before.toArray().length === 0) return
    this.#sql.exec(
      `INSERT OR IGNORE INTO parked_changes (consumer, epoch, "offset", attempts, error, at, change)
       SELECT consumer, ?, "offset", ?, error, at, change FROM parked`,
      ...[epoch(), attempts],
    )
    this.#sql.exec('DROP TABLE parked')
  }
}
