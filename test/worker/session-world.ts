import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import { OPERATOR, SCOPE_HEADER } from '../../protocol/scope.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../../worker/doors/session.ts'
import { DatabaseStandIn, watched } from './database-stand-in.ts'
import { freshKeyring, operator } from './keyring-world.ts'
import { bindings } from './link.ts'
import { AUTH_SECRET, bearer, token } from './me-world.ts'
import { Subscriber, within } from './subscriber.ts'

export const USER = '700000007'
export const UNAUTHORIZED = closeCodes.unauthorized.code
export const shard = () => bindings.SHARD.getByName('enam-0')

export const codeOf = async (socket: Subscriber) => (await within(socket.closed, 'a close')).code
/** @returns what was said before the pong */
export const isOpen = (socket: Subscriber) => socket.untilPong()

/** Sockets whose sessions end, at the doors of a worker without any other way in. */
export class SessionWorld {
  readonly database: DatabaseStandIn
  #now: number

  constructor() {
    freshKeyring()
    Object.assign(bindings, { AUTH_SECRET })
    this.database = new DatabaseStandIn(() =>
      watched({ orders: ['id', 'status', 'customer_id'], parcels: ['id'] }),
    )
    // As tokens have it: whole seconds.
    this.#now = Math.floor(Date.now() / 1000) * 1000
    vi.useFakeTimers({ toFake: ['Date'], now: this.#now })
  }

  get now(): number {
    return this.#now
  }

  /** By the clock of the wall; nothing rings by itself. */
  pass(ms: number): void {
    this.#now += ms
    vi.setSystemTime(this.#now)
  }

  /** @param inS when it ends */
  token(inS: number, claims: Record<string, unknown> = {}): Promise<string> {
    const iat = this.#now / 1000
    return token(USER, { scope: 'orders:read', iat, exp: iat + inS, ...claims })
  }

  async open(credential: string | null, path = '/api/changes/ws'): Promise<Subscriber> {
    const response = await this.visit(credential, path, { upgrade: 'websocket' })
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`)
    return new Subscriber(response.webSocket)
  }

  visit(credential: string | null, path: string, headers: Record<string, string> = {}) {
    const asking = credential === null ? {} : bearer(credential)
    const request = new Request(`http://belfry.test${path}`, { headers: { ...headers, ...asking } })
    const anyone = credential === null ? 'orders:read' : ''
    return this.database.fetch(request, { ANONYMOUS_SCOPES: anyone, RATE_LIMIT_USER: '0' })
  }

  /** Of whoever cannot be revoked, so that nothing is looked up of it, and the shard may be evicted. */
  async openUnrevocable(inMs: number, query = ''): Promise<Subscriber> {
    const headers = {
      upgrade: 'websocket',
      [PRINCIPAL_HEADER]: writePrincipal({ ...operator, expiresAt: this.#now + inMs }),
      [SCOPE_HEADER]: JSON.stringify(OPERATOR),
    }
    const { webSocket } = await shard().fetch(`https://shard/${query}`, { headers })
    return new Subscriber(webSocket as WebSocket)
  }

  /** When the shard’s alarm rings. */
  alarmIn(): Promise<number | null> {
    return runInDurableObject(shard(), async (_, { storage }) => {
      const at = await storage.getAlarm()
      return at === null ? null : at - this.#now
    })
  }

  async ring(): Promise<void> {
    await runDurableObjectAlarm(shard())
  }

  end(): void {
    vi.useRealTimers()
    vi.restoreAllMocks()
  }
}
