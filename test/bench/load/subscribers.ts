import { setTimeout as delay } from 'node:timers/promises'
import { inflateRawSync } from 'node:zlib'
import { ACK_WITHIN, formatAck } from '../../../protocol/acknowledgement.ts'
import { answerCalls } from './calls.ts'
import { nowUs } from './clock.ts'
import { type DialectName, dialects, type Position, type Said } from './dialects.ts'
import { Histogram } from './histogram.ts'
import { WebSocketClient } from './web-socket.ts'

/**
 * The subscribers: one process, up to thousands of sockets. Every frame to every socket is
 * received whole and counted, and its latency taken; equal frames are decoded once. Order: a
 * Belfry frame must begin where the one before ended; and of sockets that heard equally much, all
 * must have heard the same in the same order.
 */
type Options = { dialect: DialectName; port: number; count: number; from?: Position | null }
type Said2 = Said & { kind: 'changes' }

const RETRY_MS = 100
const MAX_KNOWN = 4_000
const QUIET_MS = 400
const MAX_SETTLE_MS = 30_000

let dialect = dialects.plain
let port = 0
let sockets: Subscriber[] = []
let latency = new Histogram()
let began = nowUs()
let deliveries = 0
let closedWith: { [code: number]: number } = {}
let violations: string[] = []
let want = { changes: Number.POSITIVE_INFINITY, missing: 0, done: () => {} }
let lastAt = 0
const known = new Map<string, Said>()

class Subscriber {
  ready = false
  heard = 0
  order = 0
  closes = 0
  isPaused = false
  position: Position | null
  #window = Number.POSITIVE_INFINITY
  #unacknowledged = 0
  #client: WebSocketClient<Said> | null = null
  #onReady: () => void = () => {}
  #ended = false

  constructor(from: Position | null) {
    this.position = from
  }

  connect(): Promise<void> {
    this.#client = new WebSocketClient<Said>(
      { port, path: dialect.path(this.position) },
      {
        opened: () => {
          if (dialect.readyWhenOpen) this.#becomeReady()
        },
        known: (head, bytes) => known.get(keyOf(head, bytes)),
        read: (message, binary) =>
          remember(
            keyOf(message, message.length),
            understand(binary ? inflateRawSync(message) : message),
          ),
        heard: (said, bytes) => {
          this.#hear(said)
          this.#acknowledge(bytes)
        },
        closed: (code) => this.#closed(code),
      },
    )
    return new Promise((resolve) => {
      this.#onReady = resolve
    })
  }

  pause(): void {
    this.isPaused = true
    this.#client?.pause()
  }

  resume(): void {
    this.isPaused = false
    this.#client?.resume()
  }

  destroy(): void {
    this.#ended = true
    this.#client?.destroy()
  }

  #hear(said: Said): void {
    switch (said.kind) {
      case 'ready':
        if (this.position && said.position && said.position.offset !== this.position.offset)
          complain('a hello at another position than was asked for')
        this.position = said.position
        this.#window = said.window ?? Number.POSITIVE_INFINITY
        // As the SDK does: a thousand who hear the same do not all acknowledge at once.
        this.#unacknowledged = said.window ? (Math.random() * said.window * ACK_WITHIN) / 2 : 0
        return this.#becomeReady()
      case 'answer':
        return this.#client?.send(said.text)
      case 'reset':
        return complain('a reset')
      case 'changes':
        return this.#count(said)
    }
  }

  #count({ after, through, ids, stamps }: Said2): void {
    if (this.position && after !== null && through !== null) {
      if (after !== this.position.offset) complain(`a gap: ${after} after ${this.position.offset}`)
      this.position.offset = through
    }
    const now = nowUs()
    for (const at of stamps) if (at !== null && at >= began) latency.add(now - at)
    for (const id of ids) this.order = (Math.imul(this.order, 31) + id) | 0
    deliveries += ids.length
    lastAt = now
    const before = this.heard
    this.heard += ids.length
    if (before < want.changes && this.heard >= want.changes && --want.missing === 0) want.done()
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged += bytes
    if (this.#unacknowledged < this.#window * ACK_WITHIN || this.position === null) return
    this.#unacknowledged = 0
    this.#client?.send(formatAck(this.position))
  }

  #becomeReady(): void {
    this.ready = true
    this.#onReady()
  }

  async #closed(code: number | null): Promise<void> {
    this.ready = false
    this.closes++
    if (code !== null) closedWith[code] = (closedWith[code] ?? 0) + 1
    if (this.#ended) return
    await delay(RETRY_MS * (0.5 + Math.random()))
    if (!this.#ended) void this.connect().then(this.#onReady)
  }
}

const methods = {
  /** Connects, and resolves when all are ready. */
  async open(options: Options): Promise<{ seconds: number }> {
    dialect = dialects[options.dialect]
    port = options.port
    known.clear()
    const start = nowUs()
    sockets = Array.from({ length: options.count }, () => new Subscriber(copy(options.from)))
    await Promise.all(sockets.map((socket) => socket.connect()))
    return { seconds: (nowUs() - start) / 1e6 }
  },

  close(): void {
    for (const socket of sockets) socket.destroy()
    sockets = []
  },

  /** Counts anew from here, once nothing of what was written before is still under way. */
  async begin(): Promise<void> {
    lastAt = nowUs()
    for (const until = Date.now() + MAX_SETTLE_MS; Date.now() < until; await delay(10))
      if (nowUs() - lastAt > QUIET_MS * 1000) break
    began = nowUs()
    deliveries = 0
    closedWith = {}
    latency = new Histogram()
    violations = []
    known.clear()
    for (const socket of sockets) Object.assign(socket, { heard: 0, order: 0, closes: 0 })
  },

  /**
   * Waits until sockets were closed so many times and all are ready again.
   * @returns false if it took too long
   */
  async untilReady({ closes, ms }: { closes: number; ms: number }): Promise<boolean> {
    for (const until = Date.now() + ms; Date.now() < until; await delay(5))
      if (sockets.every(({ ready }) => ready) && countCloses() >= closes) return true
    return false
  },

  /** So many of the sockets read nothing any more, as a page that hangs. */
  pause({ count }: { count: number }): void {
    for (const socket of sockets.slice(-count)) socket.pause()
  },

  resume(): void {
    for (const socket of sockets) if (socket.isPaused) socket.resume()
  },

  /**
   * Waits until every socket that reads has heard so many changes since it began, for so long.
   * @returns how many of them have not
   */
  async untilHeard({ changes, ms }: { changes: number; ms: number }): Promise<Waited> {
    const late = () => sockets.filter(({ heard, isPaused }) => !isPaused && heard < changes).length
    const missing = late()
    if (missing > 0) {
      const timer = setTimeout(() => want.done(), ms)
      await new Promise<void>((done) => {
        want = { changes, missing, done }
      })
      clearTimeout(timer)
      want = { changes: Number.POSITIVE_INFINITY, missing: 0, done: () => {} }
    }
    return { atUs: lastAt, late: late() }
  },

  report(): Heard {
    const counts = sockets.map(({ heard }) => heard)
    const orders = new Map<number, number>()
    let sameOrder = true
    for (const { heard, order } of sockets) {
      if ((orders.get(heard) ?? order) !== order) sameOrder = false
      orders.set(heard, order)
    }
    if (!sameOrder) complain('sockets heard the same number of changes in different orders')
    return {
      deliveries,
      seconds: (nowUs() - began) / 1e6,
      least: Math.min(...counts),
      most: Math.max(...counts),
      closes: countCloses(),
      closedWith,
      p50Ms: latency.quantile(0.5),
      p99Ms: latency.quantile(0.99),
      position: sockets[0]?.position ?? null,
      violations: violations.slice(0, 5),
    }
  },
}

export type SubscriberMethods = typeof methods
type Waited = { atUs: number; late: number }
export type Heard = {
  /** Over all sockets. */
  deliveries: number
  seconds: number
  /** Changes that the socket with the fewest, and with the most, has heard. */
  least: number
  most: number
  closes: number
  /** How many closes came with each code. */
  closedWith: { [code: number]: number }
  p50Ms: number | null
  p99Ms: number | null
  position: Position | null
  violations: string[]
}

function countCloses(): number {
  return sockets.reduce((sum, { closes }) => sum + closes, 0)
}

function understand(text: Buffer): Said {
  try {
    return dialect.understand(text.toString())
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    return { kind: 'nothing' }
  }
}

/** The beginning of a frame tells it from all others: positions or a row's key stand there. */
function keyOf(head: Buffer, bytes: number): string {
  return `${bytes}:${head.toString('latin1', 0, 150)}`
}

function remember(key: string, said: Said): Said {
  if (said.kind !== 'changes') return said
  if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string)
  known.set(key, said)
  return said
}

function copy(position: Position | null | undefined): Position | null {
  return position ? { ...position } : null
}

function complain(violation: string): void {
  violations.push(violation)
}

answerCalls(methods)
