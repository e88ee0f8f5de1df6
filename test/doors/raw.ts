import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeDeadline } from './deadline.ts'

/** A connection on which anything can be said, HTTP or not. */
export class Wire {
  readonly #socket
  #heard = ''
  #closed = false

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect({ host: hostname, port: Number(port) })
    this.#socket.on('data', (chunk) => {
      this.#heard += chunk.toString('latin1')
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#closed = true
    })
  }

  say(text: string | Uint8Array): this {
    this.#socket.write(text)
    return this
  }

  /** @returns `413 body_too_large`, `closed`, or `nothing` if it says nothing in time */
  async answer(ms?: number): Promise<string> {
    const listen = async () => {
      for (;;) {
        const short = inShort(this.#heard)
        if (short !== null) return short
        if (this.#closed) return 'closed'
        await delay(10)
      }
    }
    const answer = await beforeDeadline(listen(), 'nothing', ms)
    return answer
  }

  get heard(): string {
    return this.#heard
  }

  end(): void {
    this.#socket.destroy()
    this.#closed = true
  }
}

/** Says it all at once. @returns what was answered, in short */
export async function sayRaw(url: string, text: string | Uint8Array, ms?: number): Promise<string> {
  const wire = new Wire(url).say(text)
  const answer = await wire.answer(ms)
  wire.end()
  return answer
}

function inShort(heard: string): string | null {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(heard)?.[1]
  if (status === undefined || !heard.includes('\r\n\r\n')) return null
  const isWhole = /"retry":(true|false)/.test(heard) || !heard.includes('problem+json')
  if (!isWhole) return null
  const code = /"code":"(\w+)"/.exec(heard)?.[1]
  return code === undefined ? status : `${status} ${code}`
}
