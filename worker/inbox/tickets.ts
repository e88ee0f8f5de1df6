import { TICKET_MS, type Topic } from '../../protocol/ticket.ts'
import { hasTable } from './copy-record.ts'

/** Outstanding at once; one more forgets the oldest. */
const TICKETS = 64
const RANDOM_BYTES = 24

/**
 * The tickets of one user that may still open a socket.
 *
 * Must hold: a ticket is good once, for its topic, for TICKET_MS; who shows it has used it up,
 * whatever comes of that. At rest there is only its hash: who reads the storage can open nothing.
 */
export class Tickets {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  async issue(user: string, topic: Topic, now: number): Promise<string> {
    const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))
    const ticket = `${user}.${base64url(random)}`
    const hash = await hashOf(ticket)
    this.#sql.exec(SCHEMA)
    this.#sql.exec('DELETE FROM tickets WHERE until <= ?', now)
    this.#sql.exec('INSERT INTO tickets VALUES (?, ?, ?)', hash, topic, now + TICKET_MS)
    this.#sql.exec(
      'DELETE FROM tickets WHERE rowid NOT IN (SELECT rowid FROM tickets ORDER BY rowid DESC LIMIT ?)',
      TICKETS,
    )
    return ticket
  }

  async redeem(ticket: string, topic: Topic, now: number): Promise<boolean> {
    const hash = await hashOf(ticket)
    if (!hasTable(this.#sql, 'tickets')) return false
    const [shown] = this.#sql
      .exec<{ topic: string; until: number }>(
        'DELETE FROM tickets WHERE hash = ? RETURNING topic, until',
        hash,
      )
      .toArray()
    return shown !== undefined && shown.topic === topic && shown.until > now
  }
}

async function hashOf(ticket: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ticket))
  return base64url(new Uint8Array(digest))
}

function base64url(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

const SCHEMA =
  'CREATE TABLE IF NOT EXISTS tickets (hash TEXT PRIMARY KEY, topic TEXT NOT NULL, until INTEGER NOT NULL)'
