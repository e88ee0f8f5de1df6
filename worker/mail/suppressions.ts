import type { Audience } from './body.ts'

/**
 * Who gets no mail, and why: one reason for each mailbox, the strongest.
 *
 * Must hold: what is on the list is looked at in the transaction that begins an attempt, so that
 * nobody gets a mail after they have said no. Who unsubscribed still gets what they are owed as
 * staff. Only a person takes a mailbox off.
 */
export type SuppressionReason = 'unsubscribed' | 'by_hand' | 'bounced' | 'complained'
export type Suppression = {
  mailbox: string
  reason: SuppressionReason
  /** ISO 8601 */
  since: string
  detail: string | null
}
export type SuppressionPage = { suppressions: Suppression[]; next: number | null }

const STRENGTH: Record<SuppressionReason, number> = {
  unsubscribed: 1,
  by_hand: 2,
  bounced: 3,
  complained: 4,
}
const DETAIL_MAX = 500

export class Suppressions {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS suppressions (
        id      INTEGER PRIMARY KEY AUTOINCREMENT,
        mailbox TEXT    NOT NULL UNIQUE,
        reason  TEXT    NOT NULL,
        since   INTEGER NOT NULL,
        detail  TEXT
      )`)
  }

  /** A stronger reason replaces a weaker one, and nothing else does. */
  add(mailbox: string, reason: SuppressionReason, detail: string | null, now: number): Suppression {
    const known = this.get(mailbox)
    if (known && STRENGTH[known.reason] >= STRENGTH[reason]) return known
    this.#sql.exec(
      `INSERT INTO suppressions (mailbox, reason, since, detail) VALUES (?, ?, ?, ?)
           ON CONFLICT (mailbox) DO UPDATE
          SET reason = excluded.reason, since = excluded.since, detail = excluded.detail`,
      ...[mailbox, reason, now, detail?.slice(0, DETAIL_MAX) ?? null],
    )
    return { mailbox, reason, since: new Date(now).toISOString(), detail }
  }

  /** @returns whether it was there */
  remove(mailbox: string): boolean {
    return (
      this.#sql.exec('DELETE FROM suppressions WHERE mailbox = ? RETURNING 1', mailbox).toArray()
        .length > 0
    )
  }

  get(mailbox: string): Suppression | null {
    const [row] = this.#sql.exec<Stored>('SELECT * FROM suppressions WHERE mailbox = ?', mailbox)
    return row ? suppressionOf(row) : null
  }

  /** Why this mailbox gets no mail of that kind; null if it does. */
  against(mailbox: string, audience: Audience): string | null {
    const found = this.get(mailbox)
    if (!found || (found.reason === 'unsubscribed' && audience === 'staff')) return null
    const why = `${mailbox} gets no mail: ${SAYS[found.reason]} on ${found.since.slice(0, 10)}`
    return `${why}${found.detail === null ? '' : ` (${found.detail})`}. To send again, take it off the suppression list and redrive.`
  }

  /**
   * Newest first.
   * @param search part of a mailbox
   */
  list(limit: number, before: number | null, search: string | null): SuppressionPage {
    const rows = this.#sql
      .exec<Stored>(
        `SELECT * FROM suppressions
          WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR instr(mailbox, ?2) > 0)
          ORDER BY id DESC LIMIT ?3`,
        ...[before, search, limit + 1],
      )
      .toArray()
    const shown = rows.slice(0, limit)
    return {
      suppressions: shown.map(suppressionOf),
      next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    }
  }
}

const SAYS: Record<SuppressionReason, string> = {
  unsubscribed: 'its owner unsubscribed',
  by_hand: 'it was put on the list by hand',
  bounced: 'it could not be reached',
  complained: 'its owner called a mail spam',
}

type Stored = {
  id: number
  mailbox: string
  reason: SuppressionReason
  since: number
  detail: string | null
}

function suppressionOf({ mailbox, reason, since, detail }: Stored): Suppression {
  return { mailbox, reason, since: new Date(since).toISOString(), detail }
}
