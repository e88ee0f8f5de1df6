import { TICKET_MS, type Topic } from '../../protocol/ticket.ts'
import type { Env } from '../env.ts'
import { base64url } from './base64url.ts'
import { DOORS, doorkeeper, doorOf } from './door-of.ts'
import { bookOf, isRevocable, isRevoked } from './keyring-book.ts'
import type { Principal } from './principal.ts'
import { isOver } from './session.ts'
import { sealTicket, unsealTicket } from './ticket-seal.ts'

/**
 * Tickets: what opens one socket, in place of a token that does not belong in an address.
 *
 * The Doorkeeper that gave one out is authoritative on whether it is good; the ticket says which of
 * them that is. Must hold: it is good once, for its topic, for TICKET_MS; who shows it has used it
 * up, whatever comes of that. It opens what its principal may, until its principal's credential
 * ends, and not after that was revoked. At rest there is only its hash.
 * On failure nobody is let in: one that could not be asked about is used up, or is still good.
 */
export async function issueTicket(env: Env, asking: Principal, topic: Topic): Promise<string> {
  // Of those who say nothing of who they are no name says which object to ask.
  const isNamed = asking.kind !== 'anyone'
  const door = isNamed ? doorOf(asking.name) : Math.floor(Math.random() * DOORS)
  return sealTicket(env, `${door}.${await desk(env, door).issueTicket(asking, topic)}`)
}

/**
 * @param sealed as it was shown
 * @returns whose it is; null if it is not good, and from then on it is not
 * @throws KeyringUnknown when nobody can say whether its principal is good still
 */
export async function redeemTicket(
  env: Env,
  sealed: string,
  topic: Topic,
): Promise<Principal | null> {
  const ticket = SEALED.test(sealed) ? await unsealTicket(env, sealed) : null
  if (ticket === null) return null
  const [door = '', random = ''] = ticket.split('.')
  const asking = await desk(env, Number(door)).redeemTicket(random, topic)
  if (asking === null || isOver(asking, Date.now())) return null
  return isRevocable(asking.name) && isRevoked(await bookOf(env), asking) ? null : asking
}

/** `<door>.`, 32 characters of random, 22 of seal. */
const SEALED = /^\d{1,2}\.[A-Za-z0-9_-]{54}$/

/** What a Doorkeeper is asked. */
export type TicketDesk = {
  issueTicket(asking: Principal, topic: Topic): Promise<string>
  redeemTicket(random: string, topic: Topic): Promise<Principal | null>
}

function desk(env: Env, door: number): TicketDesk {
  return doorkeeper(env, door) as unknown as TicketDesk
}

/** Of one principal at once; one more forgets the oldest. */
const TICKETS = 64
/** Of all who say nothing of who they are. */
const TICKETS_OF_ANYONE = 4_096
const RANDOM_BYTES = 24

/** The tickets of one Doorkeeper that may still open a socket. */
export class Tickets {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(SCHEMA)
  }

  /** @returns what makes the ticket a secret */
  async issue(asking: Principal, topic: Topic, now: number): Promise<string> {
    const random = base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))
    const hash = await hashOf(random)
    const most = asking.kind === 'anyone' ? TICKETS_OF_ANYONE : TICKETS
    this.#sql.exec('DELETE FROM tickets WHERE until <= ?', now)
    this.#sql.exec(
      'INSERT INTO tickets VALUES (?, ?, ?, ?, ?)',
      ...[hash, topic, now + TICKET_MS, asking.name, JSON.stringify(asking)],
    )
    this.#sql.exec(
      `DELETE FROM tickets WHERE rowid IN
         (SELECT rowid FROM tickets WHERE name = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)`,
      asking.name,
      most,
    )
    return random
  }

  async redeem(random: string, topic: Topic, now: number): Promise<Principal | null> {
    const [shown] = this.#sql
      .exec<{ topic: string; until: number; principal: string }>(
        'DELETE FROM tickets WHERE hash = ? RETURNING topic, until, principal',
        await hashOf(random),
      )
      .toArray()
    // A clock that went back makes nothing good for longer.
    return shown?.topic === topic && shown.until > now && shown.until <= now + TICKET_MS
      ? (JSON.parse(shown.principal) as Principal)
      : null
  }
}

async function hashOf(random: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(random))
  return base64url(new Uint8Array(digest))
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tickets (
    hash TEXT PRIMARY KEY, topic TEXT NOT NULL, until INTEGER NOT NULL,
    name TEXT NOT NULL, principal TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS tickets_of ON tickets (name);
`
