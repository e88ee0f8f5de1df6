import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A wire that can be harmed: TCP connections to it are carried to a target.
 *
 * Must hold: bytes are never reordered or lost within a connection that goes on, whatever the
 * delay is changed to; that would be a fault TCP does not have. A connection that was silenced
 * stays silent until it is cut, as if a cable had been pulled out between; new ones pass.
 */
export class Wire {
  readonly #server: Server
  readonly #target: () => number
  readonly #pairs = new Set<Pair>()
  #delayMs = 0

  private constructor(target: () => number) {
    this.#target = target
    this.#server = createServer((near) => this.#carry(near))
  }

  /** @param target the port on this machine, asked anew for each connection */
  static async to(target: () => number): Promise<Wire> {
    const wire = new Wire(target)
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve))
    return wire
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Breaks every open connection, with a reset. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  /** What is open now goes silent: nothing arrives any more, not even that the other end left. */
  silence(which: 'both ways' | 'to target' | 'from target'): void {
    for (const pair of this.#pairs) {
      if (which !== 'from target') pair.there.silent = true
      if (which !== 'to target') pair.back.silent = true
    }
  }

  /** From now on each piece arrives so much later, in both directions. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #carry(near: Socket): void {
    const far = connect({ host: '127.0.0.1', port: this.#target() })
    const pair: Pair = { near, far, there: way(), back: way() }
    this.#pairs.add(pair)
    this.#pipe(near, far, pair.there)
    this.#pipe(far, near, pair.back)
    for (const socket of [near, far]) {
      socket.setNoDelay()
      socket.on('error', () => undefined)
      socket.once('close', () => {
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair)
      })
    }
  }

  #pipe(from: Socket, to: Socket, way: Way): void {
    from.on('data', (chunk) => this.#enqueue(way, () => carry(from, to, chunk)))
    from.once('close', () => this.#enqueue(way, () => to.destroy()))
  }

  #enqueue(way: Way, act: () => void): void {
    if (this.#delayMs === 0 && way.queue.length === 0) {
      if (!way.silent) act()
      return
    }
    way.queue.push({ due: Date.now() + this.#delayMs, act })
    if (way.queue.length === 1) flushWhenDue(way)
  }
}

type Way = { silent: boolean; queue: { due: number; act: () => void }[] }
type Pair = { near: Socket; far: Socket; there: Way; back: Way }

function way(): Way {
  return { silent: false, queue: [] }
}

function carry(from: Socket, to: Socket, chunk: Buffer): void {
  if (to.destroyed || to.write(chunk)) return
  from.pause()
  to.once('drain', () => from.resume())
}

/** One piece after another, so that a shorter delay lets nothing overtake. */
function flushWhenDue(way: Way): void {
  const next = way.queue[0]
  if (!next) return
  setTimeout(
    () => {
      way.queue.shift()
      if (!way.silent) next.act()
      flushWhenDue(way)
    },
    Math.max(0, next.due - Date.now()),
  )
}
