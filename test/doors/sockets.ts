import type { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'
import { beforeDeadline } from './deadline.ts'

/** A socket that an attack opened, and what was said on it. */
export class Socket {
  readonly said: string[] = []
  /** `closed 4401`, or `http 403` if there was no upgrade at all. */
  readonly ended: Promise<string>
  readonly #socket: WebSocket
  #wake: () => void = () => undefined

  /**
   * @param url with http
   * @param deaf it goes on speaking after it was told that it is closed
   */
  constructor(url: string, headers: Record<string, string> = {}, { deaf = false } = {}) {
    this.#socket = new WebSocket(url.replace(/^http/, 'ws'), { headers, perMessageDeflate: false })
    this.ended = new Promise((resolve) => {
      // The close frame is the end; the connection under it may take half a minute more.
      this.#socket.on('open', () => {
        const { _receiver: receiver } = this.#socket as unknown as { _receiver: EventEmitter }
        if (deaf) receiver.removeAllListeners('conclude')
        receiver.on('conclude', (code: number) => resolve(`closed ${code}`))
      })
      this.#socket.on('close', (code) => resolve(`closed ${code}`))
      this.#socket.on('unexpected-response', (request, { statusCode }) => {
        resolve(`http ${statusCode}`)
        request.destroy()
      })
      // What it was is told by one of the two above.
      this.#socket.on('error', () => undefined)
    })
    this.#socket.on('message', (data) => {
      this.said.push(data.toString())
      this.#wake()
    })
  }

  /** @returns the first frame that is so, or how the socket ended before one was */
  async hears(isIt: (text: string) => boolean, ms?: number): Promise<string> {
    const heard = async () => {
      for (let from = 0; ; ) {
        for (; from < this.said.length; from++) {
          const text = this.said[from] ?? ''
          if (isIt(text)) return text
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
    return beforeDeadline(Promise.race([heard(), this.ended]), 'nothing', ms)
  }

  /** In short: `open` once something was said, or how it ended. */
  async fate(ms?: number): Promise<string> {
    const first = await this.hears(() => true, ms)
    return first.startsWith('{') ? 'open' : first
  }

  async end(ms?: number): Promise<string> {
    return beforeDeadline(this.ended, 'still open', ms)
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data)
  }

  /** Once it is open. */
  async opened(): Promise<void> {
    if (this.#socket.readyState === WebSocket.OPEN) return
    await Promise.race([
      new Promise<void>((resolve) => this.#socket.once('open', () => resolve())),
      this.ended,
    ])
  }

  close(): void {
    this.#socket.close()
  }

  /** As a cable is pulled: without a close frame. */
  abandon(): void {
    this.#socket.terminate()
  }
}
