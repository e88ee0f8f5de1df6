import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A wire that can be harmed: TCP connections to it are carried to a target.
 *
 * `cut` breaks what is open. `blackhole` is a cable pulled out: connections stay open on both
 * sides and nothing arrives any more, new ones included, until `heal`, which breaks those that
 * were silenced. `swallow` loses what goes one way only.
 */
export class TcpProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #target: { host: string; port: number }
  #lossy: 'none' | 'both' | Direction = 'none'
  #delayMs = 0
  /** What goes by may be looked at, and replaced. */
  onData: (chunk: Buffer, direction: Direction) => Buffer = (chunk) => chunk

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((near) => this.#carry(near))
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The same address, by way of this proxy. */
  static async before(url: string): Promise<{ proxy: TcpProxy; url: string }> {
    const address = new URL(url)
    const proxy = await TcpProxy.start({ host: address.hostname, port: Number(address.port) })
    address.hostname = '127.0.0.1'
    address.port = String(proxy.port)
    return { proxy, url: address.href }
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Breaks every open connection, with a reset. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  blackhole(): void {
    this.#lossy = 'both'
  }

  swallow(direction: Direction): void {
    this.#lossy = direction
  }

  heal(): void {
    this.#lossy = 'none'
    this.cut()
  }

  /** Each piece arrives so much later, in both directions. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #carry(near: Socket): void {
    const far = connect(this.#target)
    const pair = { near, far }
    this.#pairs.add(pair)
    this.#pipe(near, far, 'to target')
    this.#pipe(far, near, 'from target')
    for (const socket of [near, far]) {
      socket.setNoDelay()
      socket.on('error', () => undefined)
      socket.once('close', () => this.#pairs.delete(pair))
    }
  }

  #pipe(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk) => {
      const passed = this.onData(chunk, direction)
      this.#later(() => {
        if (!this.#loses(direction)) to.write(passed)
      })
    })
    // The end of a connection is lost with the rest: that is what makes it half-open.
    from.once('close', () => {
      this.#later(() => {
        if (!this.#loses(direction)) to.destroy()
      })
    })
  }

  #later(act: () => void): void {
    if (this.#delayMs === 0) act()
    else setTimeout(act, this.#delayMs)
  }

  #loses(direction: Direction): boolean {
    return this.#lossy === 'both' || this.#lossy === direction
  }
}

export type Direction = 'to target' | 'from target'
type Pair = { near: Socket; far: Socket }
