import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { InboxFrame } from '../../protocol/inbox-frames.ts'
import type { Principal } from '../../worker/doors/principal.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../../worker/doors/session.ts'
import type { Env } from '../../worker/env.ts'
import type { InboxDoor, PageRequest } from '../../worker/inbox/door.ts'
import type { Inbox } from '../../worker/inbox/inbox.ts'
import { InboxDatabase, neonEndpoint } from '../support/inbox-database.ts'
import { Subscriber, within } from './subscriber.ts'

export const env = bindings as unknown as Env
export const FEED = 'feed1'
let users = 0

/** One user before a database, and the feed that tells their object of it. */
export class InboxWorld {
  readonly database: InboxDatabase
  readonly name: string
  feed = FEED
  /** So many changes of the log were told. */
  told = 0

  constructor() {
    Object.assign(env, { NEON_ENDPOINT: neonEndpoint })
    this.database = new InboxDatabase(++users)
    this.database.listen()
    this.name = String(this.database.userId)
  }

  /** A new one each time: after a throw a stub is of no use. */
  get object(): DurableObjectStub<Inbox> {
    return env.INBOX.getByName(this.name)
  }

  /** The same, typed as its doors are. */
  get inbox(): InboxDoor & Pick<Fetcher, 'fetch'> {
    return this.object as unknown as InboxDoor & Pick<Fetcher, 'fetch'>
  }

  /** The feed tells the rest of the log. */
  async catchUp(): Promise<void> {
    await this.tell(this.told, this.database.log.length)
  }

  /** A part of the log, perhaps again. */
  async tell(from: number, to: number): Promise<void> {
    const changes = this.database.log.slice(from, to)
    this.told = Math.max(this.told, from + changes.length)
    await this.inbox.hear(changes, this.feed)
  }

  async list(request: Partial<PageRequest> = {}) {
    const page = await this.inbox.page(
      { listing: 'all', category: null, before: null, limit: 100, ...request },
      this.feed,
    )
    if (page.kind !== 'page') throw new Error(`a page was expected, not ${page.kind}`)
    return page
  }

  async counts() {
    return (await this.inbox.standing(this.feed))?.counts ?? null
  }

  /** Time goes on, for the database and for the object, and stands still in between. */
  pass(ms: number): void {
    this.database.pass(ms)
    vi.spyOn(Date, 'now').mockReturnValue(this.database.nowMs)
  }

  /** What the object has to do by now is done; what follows from it too. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      const dueIn = await this.alarmIn()
      if (dueIn === null || dueIn > 1_000) return
      if (dueIn > 0) this.pass(dueIn)
      await runDurableObjectAlarm(this.object)
    }
    throw new Error('its alarm never comes to rest')
  }

  /** Its memory is lost; its sockets and what it stored are not. */
  async evict(): Promise<void> {
    await this.alarmIn()
    await evictDurableObject(this.object)
  }

  /** Nothing of it goes on into another test. */
  async end(): Promise<void> {
    await runInDurableObject(this.object, (_inbox, { storage }) => storage.deleteAlarm())
  }

  /** Its alarm rings, whether or not it is time. */
  async ring(): Promise<void> {
    await runInDurableObject(this.object, async (inbox: Inbox, { storage }) => {
      // As the platform does: while it rings, there is none.
      await storage.deleteAlarm()
      await inbox.alarm()
    })
  }

  /** How often it has asked for all that it keeps. */
  get loads(): number {
    return this.database.statements.filter((each) => each.includes('inbox_window')).length
  }

  /** In how many milliseconds the alarm rings; null if none is set. */
  alarmIn(): Promise<number | null> {
    return runInDurableObject(this.object, async (_inbox, { storage }) => {
      const at = await storage.getAlarm()
      return at === null ? null : at - Date.now()
    })
  }

  /** The tables that there are, each with its number of rows. */
  kept(): Promise<Record<string, number>> {
    return runInDurableObject(this.object, (_inbox, { storage: { sql } }) => {
      const tables = sql.exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'",
      )
      const count = (name: string) =>
        sql.exec<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`).one().n
      return Object.fromEntries(tables.toArray().map(({ name }) => [name, count(name)]))
    })
  }

  /**
   * @param asking who, if not somebody of whom nothing is looked up, and for whose sake the object
   *   stays in memory for no moment longer
   */
  async connect(query = '', asking: Partial<Principal> = {}): Promise<Tab> {
    const user: Principal = {
      ...{ name: 'anyone', kind: 'user', user: this.name, scopes: [] },
      ...{ expiresAt: null, issuedAt: 0 },
    }
    const headers = { [PRINCIPAL_HEADER]: writePrincipal({ ...user, ...asking }) }
    const response = await this.inbox.fetch(`https://inbox/?feed=${this.feed}${query}`, {
      headers: { upgrade: 'websocket', ...headers },
    })
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`)
    return new Tab(new Subscriber(response.webSocket))
  }
}

/** A socket of the user's. */
export class Tab {
  readonly socket: Subscriber

  constructor(socket: Subscriber) {
    this.socket = socket
  }

  get closed() {
    return within(this.socket.closed, 'a close')
  }

  async frame<Type extends InboxFrame['type']>(type: Type) {
    const frame = JSON.parse(await this.socket.text()) as InboxFrame
    if (frame.type !== type) throw new Error(`expected ${type}, heard ${JSON.stringify(frame)}`)
    return frame as Extract<InboxFrame, { type: Type }>
  }

  /** All frames that were sent until now. */
  async frames(): Promise<InboxFrame[]> {
    return (await this.socket.untilPong()).map((text) => JSON.parse(text))
  }
}
