import { watchClosing } from '../../client/sdk/closing.ts'
import type { Platform, Socket } from '../../client/sdk/platform.ts'
import type { Change, Row } from '../../protocol/change.ts'

import type { Frame } from '../../protocol/frames.ts'

/** A world that stands still until the test moves it: clock, timers, dice, sockets. */
export class World implements Platform {
  readonly sockets: FakeSocket[] = []
  readonly reported: unknown[] = []
  readonly WebSocket: new (
    url: string,
  ) => Socket
  inflate: Platform['inflate'] = null
  /** What `random` gives: 0 means no jitter and no wait. */
  chance = 0.5
  #now = 1_000_000
  #timers = new Map<number, { at: number; run: () => void }>()
  #nextTimer = 1
  #onReturn = new Set<(what: 'online' | 'shown') => void>()

  constructor() {
    const { sockets } = this
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(url)
        sockets.push(this)
      }
    }
  }

  now = () => this.#now
  stopwatch = () => this.#now
  random = () => this.chance
  watchClosing = (socket: Socket, closed: () => void) => watchClosing(this, socket, closed)
  report = (error: unknown) => void this.reported.push(error)

  timer = (ms: number, run: () => void) => {
    const id = this.#nextTimer++
    this.#timers.set(id, { at: this.#now + ms, run })
    return () => void this.#timers.delete(id)
  }

  onReturn = (run: (what: 'online' | 'shown') => void) => {
    this.#onReturn.add(run)
    return () => void this.#onReturn.delete(run)
  }

  /** Moves the clock, firing each timer at its time. */
  pass(ms: number) {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers]
        .filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      const [id, { at, run }] = due
      this.#timers.delete(id)
      this.#now = Math.max(this.#now, at)
      run()
    }
    this.#now = end
  }

  /** Time passes and no timer fires, as in a laptop that sleeps. */
  sleep(ms: number) {
    this.#now += ms
  }

  comeBack(what: 'online' | 'shown') {
    for (const run of this.#onReturn) run(what)
  }

  get timers(): number {
    return this.#timers.size
  }

  get listeners(): number {
    return this.#onReturn.size
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }
}

export class FakeSocket implements Socket {
  readonly url: string
  readonly sent: string[] = []
  closed = false
  binaryType = 'blob'
  readyState = 1
  #listeners = new Map<string, ((event: { type: string }) => void)[]>()

  constructor(url: string) {
    this.url = url
  }

  /** What is asked for, but for `acks`, which always is. */
  get query(): Record<string, string> {
    const { acks, ...query } = Object.fromEntries(new URL(this.url).searchParams)
    return query
  }

  send(text: string) {
    this.sent.push(text)
  }

  close() {
    this.closed = true
  }

  addEventListener(type: string, listener: (event: { type: string }) => void) {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  /** What the server says. */
  say(heard: Frame | string | ArrayBuffer) {
    const isAsItIs = typeof heard === 'string' || heard instanceof ArrayBuffer
    this.#emit({ type: 'message', data: isAsItIs ? heard : JSON.stringify(heard) })
  }

  /** The server, or the way there, closes. */
  break(code = 1006, reason = '') {
    this.#emit({ type: 'close', code, reason })
  }

  #emit(event: { type: string; data?: unknown; code?: number; reason?: string }) {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event)
  }
}

/** Without a window the server asks for no acknowledgements. */
export function hello(epoch: string, after: number, window?: number): Frame {
  return { type: 'hello', protocol: 1, epoch, after, ...(window && { window }) }
}

/** The session ends in so many milliseconds. */
export function helloFor(expires_in_ms: number): Frame {
  return { type: 'hello', protocol: 1, epoch: 'a', after: 5, expires_in_ms }
}

export function reset(
  epoch: string,
  head: number,
  reason: 'epoch' | 'pruned' | 'ahead' = 'epoch',
): Frame {
  return { type: 'reset', reason, epoch, head }
}

/** Through defaults to the last change's offset, or to `after`. */
export function changes(epoch: string, after: number, list: Change[], through?: number): Frame {
  return {
    type: 'changes',
    epoch,
    after,
    through: through ?? list.at(-1)?.offset ?? after,
    changes: list,
  }
}

export function inserted(offset: number, row: Row = { id: offset }): Change {
  return change(offset, 'insert', { id: row.id ?? null }, row, null)
}

export function updated(offset: number, old: Row, row: Row): Change {
  return change(offset, 'update', { id: row.id ?? null }, row, old)
}

export function deleted(offset: number, old: Row): Change {
  return change(offset, 'delete', { id: old.id ?? null }, null, old)
}

export function truncated(offset: number): Change {
  return change(offset, 'truncate', null, null, null)
}

/** The row stayed behind for its size. */
export function oversize(offset: number, op: 'insert' | 'update' | 'delete', key: Row): Change {
  return { ...change(offset, op, key, null, null), oversize: true }
}

function change(
  offset: number,
  op: Change['op'],
  key: Row | null,
  row: Row | null,
  old: Row | null,
): Change {
  const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`
  return {
    id,
    offset,
    table: 'orders',
    op,
    key,
    new: row,
    old,
    at: '2026-11-21T08:33:55.123456+00:00',
  }
}
