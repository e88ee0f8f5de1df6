import { base64url } from '../doors/base64url.ts'

/**
 * What stands in a mail's link to unsubscribe: a random token for each mailbox, which says
 * nothing of it and cannot be guessed (128 bits). It stays for as long as mails may lie about.
 */
export class UnsubscribeTokens {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS unsubscribe_tokens (token TEXT PRIMARY KEY, mailbox TEXT NOT NULL UNIQUE) WITHOUT ROWID',
    )
  }

  /** The one of this mailbox, made if there is none. */
  of(mailbox: string): string {
    this.#sql.exec(
      'INSERT INTO unsubscribe_tokens (token, mailbox) VALUES (?, ?) ON CONFLICT (mailbox) DO NOTHING',
      newToken(),
      mailbox,
    )
    return this.#sql.exec('SELECT token FROM unsubscribe_tokens WHERE mailbox = ?', mailbox).one()
      .token as string
  }

  mailboxOf(token: string): string | null {
    const [row] = this.#sql.exec<{ mailbox: string }>(
      'SELECT mailbox FROM unsubscribe_tokens WHERE token = ?',
      token,
    )
    return row?.mailbox ?? null
  }
}

function newToken(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(16)))
}
