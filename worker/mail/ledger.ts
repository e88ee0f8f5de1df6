import type { FilledOrder, OwedMail } from './owed.ts'
import { sameMailbox } from './recipients.ts'

/**
 * Every mail that was ever owed, and how far it has come: one row for one change and one
 * mailbox, however often it is handed over. What is written here survives the object, so that
 * attempts and their times do too. Times are ms since 1970.
 *
 *   queued → sending → sent
 *     ↑         ├────→ parked, for a person
 *     └─────────┘ tried again at `next_at`
 */
export type MailState = 'queued' | 'sending' | 'sent' | 'parked'
export const mailStates = ['queued', 'sending', 'sent', 'parked'] as const satisfies MailState[]

/** A mail about to be tried. */
export type DueMail = {
  change: string
  mailbox: string
  recipient: string
  order: FilledOrder
  attempts: number
  firstAt: number | null
}

export type MailSummary = { queued: number; sent: number; parked: number }

/** A mail as people read it; times are ISO 8601 in UTC. */
export type MailReport = {
  change: string
  recipient: string
  order_id: number | string
  state: MailState
  attempts: number
  next_at: string | null
  last_error: string | null
  provider_id: string | null
  created_at: string
  sent_at: string | null
}

/** Longer than the feed keeps a change, so that none handed over again is taken for new. */
const KEEP_SENT_MS = 60 * 24 * 3_600_000
const PRUNED_AT_ONCE = 100

export class Ledger {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  #summary: MailSummary | null = null

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS mails (
        change      TEXT    NOT NULL,
        mailbox     TEXT    NOT NULL,
        recipient   TEXT    NOT NULL,
        "order"     TEXT    NOT NULL,
        state       TEXT    NOT NULL DEFAULT 'queued',
        attempts    INTEGER NOT NULL DEFAULT 0,
        first_at    INTEGER,
        next_at     INTEGER NOT NULL,
        last_error  TEXT,
        provider_id TEXT,
        created_at  INTEGER NOT NULL,
        sent_at     INTEGER,
        PRIMARY KEY (change, mailbox)
      );
      CREATE INDEX IF NOT EXISTS mails_due ON mails (next_at) WHERE state = 'queued';
      CREATE INDEX IF NOT EXISTS mails_sent ON mails (sent_at) WHERE state = 'sent';
      CREATE TABLE IF NOT EXISTS pause (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL);
    `)
  }

  /** @returns how many of them were not known yet */
  add(owed: readonly OwedMail[], now: number): number {
    return this.#write(() => {
      let added = 0
      for (const { change, recipient, order } of owed)
        added += this.#sql
          .exec(
            `INSERT INTO mails (change, mailbox, recipient, "order", next_at, created_at)
           VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1`,
            ...[change, sameMailbox(recipient), recipient, JSON.stringify(order), now, now],
          )
          .toArray().length
      return added
    })
  }

  /**
   * Whatever was being sent when something broke is tried again, under the same key.
   * @returns whether there was such a mail
   */
  recover(nextAt: number, error: string): boolean {
    return (
      this.#write(() =>
        this.#sql
          .exec(
            `UPDATE mails SET state = 'queued', next_at = ?, last_error = ? WHERE state = 'sending' RETURNING 1`,
            nextAt,
            error,
          )
          .toArray(),
      ).length > 0
    )
  }

  nextDue(now: number): DueMail | null {
    const [row] = this.#sql.exec<Omit<DueMail, 'order'> & { order: string }>(
      `SELECT change, mailbox, recipient, "order", attempts, first_at AS firstAt FROM mails
        WHERE state = 'queued' AND next_at <= ? ORDER BY next_at, rowid LIMIT 1`,
      now,
    )
    return row ? { ...row, order: JSON.parse(row.order) } : null
  }

  /** When something is to be done next; null when nothing waits. */
  get nextAt(): number | null {
    const { at, until } = this.#sql
      .exec<{ at: number | null; until: number | null }>(
        `SELECT (SELECT min(next_at) FROM mails WHERE state = 'queued') AS at,
                (SELECT until FROM pause) AS until`,
      )
      .one()
    return at === null ? null : Math.max(at, until ?? 0)
  }

  /** Nothing is sent before. */
  get pausedUntil(): number {
    return this.#sql.exec('SELECT coalesce(max(until), 0) AS until FROM pause').one()
      .until as number
  }

  /** The longer of two pauses holds. */
  pause(until: number): void {
    this.#sql.exec(
      'INSERT INTO pause VALUES (1, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)',
      until,
    )
  }

  /** Counts the attempt before it is made, so that a crash in the midst of it counts too. */
  begin({ change, mailbox }: DueMail, now: number): void {
    this.#settle(
      change,
      mailbox,
      `state = 'sending', attempts = attempts + 1, first_at = coalesce(first_at, ?)`,
      [now],
    )
  }

  sent({ change, mailbox }: DueMail, providerId: string | null, now: number): void {
    this.#settle(
      change,
      mailbox,
      `state = 'sent', provider_id = ?, sent_at = ?, last_error = NULL`,
      [providerId, now],
    )
  }

  retry({ change, mailbox }: DueMail, nextAt: number, error: string): void {
    this.#settle(change, mailbox, `state = 'queued', next_at = ?, last_error = ?`, [nextAt, error])
  }

  /** Everyone waits; this mail's attempt is as if it had not been made. */
  hold({ change, mailbox, attempts, firstAt }: DueMail, until: number, error: string): void {
    this.pause(until)
    this.#settle(change, mailbox, `state = 'queued', attempts = ?, first_at = ?`, [
      attempts,
      firstAt,
    ])
    this.#sql.exec(
      `UPDATE mails SET last_error = ?1 WHERE state = 'queued' AND last_error IS NOT ?1`,
      error,
    )
  }

  park({ change, mailbox }: DueMail, error: string): void {
    this.#settle(change, mailbox, `state = 'parked', last_error = ?`, [error])
  }

  prune(now: number): void {
    this.#write(() =>
      this.#sql.exec(
        `DELETE FROM mails WHERE rowid IN (
           SELECT rowid FROM mails WHERE state = 'sent' AND sent_at < ? LIMIT ?)`,
        now - KEEP_SENT_MS,
        PRUNED_AT_ONCE,
      ),
    )
  }

  /** Counted once after each write: it is asked for often and reads every row. */
  get summary(): MailSummary {
    this.#summary ??= this.#sql
      .exec<MailSummary>(
        `SELECT count(*) FILTER (WHERE state IN ('queued', 'sending')) AS queued,
                count(*) FILTER (WHERE state = 'sent') AS sent,
                count(*) FILTER (WHERE state = 'parked') AS parked
           FROM mails`,
      )
      .one()
    return this.#summary
  }

  /** Newest first. */
  list(state: MailState | null, limit: number): MailReport[] {
    return this.#sql
      .exec<Omit<MailReport, 'next_at' | 'created_at' | 'sent_at'> & Times>(
        `SELECT change, recipient, "order" ->> 'id' AS order_id, state, attempts, last_error, provider_id,
                created_at, sent_at, CASE state WHEN 'queued' THEN next_at END AS next_at
           FROM mails WHERE ?1 IS NULL OR state = ?1 ORDER BY rowid DESC LIMIT ?2`,
        state,
        limit,
      )
      .toArray()
      .map((row) => ({
        ...row,
        next_at: isoTime(row.next_at),
        created_at: new Date(row.created_at).toISOString(),
        sent_at: isoTime(row.sent_at),
      }))
  }

  #settle(change: string, mailbox: string, set: string, values: (string | number | null)[]): void {
    this.#write(() =>
      this.#sql.exec(
        `UPDATE mails SET ${set} WHERE change = ? AND mailbox = ?`,
        ...values,
        change,
        mailbox,
      ),
    )
  }

  #write<Result>(work: () => Result): Result {
    this.#summary = null
    return this.#storage.transactionSync(work)
  }
}

type Times = { next_at: number | null; created_at: number; sent_at: number | null }

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
