import { sign } from 'hono/jwt'
import { WebSocket } from 'ws'
import type { Counts, Notification } from '../../protocol/notification.ts'

const TOKEN_SECONDS = 12 * 3600

/** One user before a running worker, by the API alone. */
export class InboxUser {
  readonly id: number
  readonly #url: string
  readonly #authorization: string

  private constructor(id: number, url: string, token: string) {
    this.id = id
    this.#url = url
    this.#authorization = `Bearer ${token}`
  }

  /** @param worker its address and the AUTH_SECRET it has */
  static async signIn(id: number, { url, secret }: WorkerOfUsers): Promise<InboxUser> {
    const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS
    const token = await sign({ sub: String(id), exp }, secret, 'HS256')
    return new InboxUser(id, `${url}/api/me`, token)
  }

  list(limit = 20): Promise<{ notifications: Notification[]; counts: Counts }> {
    return this.#ask('GET', `/notifications?listing=all&limit=${limit}`)
  }

  open(): Promise<{ counts: Counts }> {
    return this.#ask('POST', '/notifications/open')
  }

  read(id: number): Promise<{ notification: Notification; counts: Counts }> {
    return this.#ask('PUT', `/notifications/${id}/read`)
  }

  /** @param query `epoch` and `after`, to go on from there */
  socket(query: Record<string, string> = {}): WebSocket {
    const url = `${this.#url.replace('http', 'ws')}/notifications/ws?${new URLSearchParams(query)}`
    return new WebSocket(url, { headers: { authorization: this.#authorization } })
  }

  async #ask<T>(method: string, path: string): Promise<T> {
    const headers = { authorization: this.#authorization }
    const signal = AbortSignal.timeout(REQUEST_MS)
    const response = await fetch(`${this.#url}${path}`, { method, headers, signal })
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}

export type WorkerOfUsers = { url: string; secret: string }

const REQUEST_MS = 30_000
