import { DurableObject } from 'cloudflare:workers'
import type { Topic } from '../../protocol/ticket.ts'
import type { Env } from '../env.ts'
import { type Admission, Buckets, type Budget } from './budget.ts'
import type { Principal } from './principal.ts'
import { type TicketDesk, Tickets } from './tickets.ts'

/**
 * Counts what some of those who ask have asked, exactly, wherever their requests come in (P101).
 *
 * The object is authoritative on the budgets of the names that fall to it (door-of.ts). They are
 * kept in memory alone: an object is taken from memory only once nobody has asked it for 10 s, and
 * then each bucket is full, as it would be in a new one. If it fails, nobody is refused for it.
 * The tickets of those names are kept here too, and they are on the disk: see tickets.ts.
 */
export class Doorkeeper extends DurableObject<Env> implements TicketDesk {
  readonly #buckets = new Buckets(MAX_BUCKETS)
  readonly #tickets = new Tickets(this.ctx.storage.sql)

  admit(name: string, budget: Budget, cost: number): Admission {
    return this.#buckets.take(name, budget, cost, Date.now())
  }

  async issueTicket(asking: Principal, topic: Topic): Promise<string> {
    return this.#tickets.issue(asking, topic, Date.now())
  }

  async redeemTicket(random: string, topic: Topic): Promise<Principal | null> {
    return this.#tickets.redeem(random, topic, Date.now())
  }
}

/** About 10 MB. */
const MAX_BUCKETS = 100_000
