import { exports } from 'cloudflare:workers'
import { formatAck } from '../../protocol/acknowledgement.ts'
import type { Change } from '../../protocol/change.ts'
import type { Frame } from '../../protocol/frames.ts'

/** How long a test waits for what it has made certain: only a bug lets this run out. */
export const DEADLINE_MS = 5_000

export const worker = (exports as unknown as { default: Fetcher }).default

/** A socket whose messages are read one after another. */
export class Subscriber {
  readonly #socket: WebSocket
  readonly #heard: string[] = []
  #waiting: (() => void) | null = null
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      this.#heard.push(String(data))
      this.#waiting?.()
    })
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    })
    socket.accept()
  }

  send(text: string | ArrayBuffer): void {
    this.#socket.send(text)
  }

  close(): void {
    this.#socket.close(1000)
  }

  async text(): Promise<string> {
    if (this.#heard.length === 0)
      await within(
        new Promise<void>((resolve) => {
          this.#waiting = resolve
        }),
        'a message',
      )
    this.#waiting = null
    return this.#heard.shift() as string
  }

  async frame<Type extends Frame['type']>(type: Type): Promise<Extract<Frame, { type: Type }>> {
    const frame = JSON.parse(await this.text()) as Frame
    if (frame.type !== type) throw new Error(`expected ${type}, heard ${JSON.stringify(frame)}`)
    return frame as Extract<Frame, { type: Type }>
  }

  /** All that was sent until now, as text: a pong comes behind whatever was sent before it. */
  async untilPong(): Promise<string[]> {
    this.send('ping')
    const heard: string[] = []
    for (let text = await this.text(); text !== 'pong'; text = await this.text()) heard.push(text)
    return heard
  }

  /**
   * Reads frames up to an offset, checking that each begins where the one before ended (P31).
   * @param acknowledges after each frame
   * @returns the changes in them
   */
  async readTo(from: number, through: number, acknowledges = false): Promise<Change[]> {
    const changes: Change[] = []
    for (let at = from; at < through; ) {
      const frame = await this.frame('changes')
      if (frame.after !== at)
        throw new Error(`a gap: at ${at}, but the frame begins after ${frame.after}`)
      changes.push(...frame.changes)
      at = frame.through
      if (acknowledges) this.send(formatAck({ epoch: frame.epoch, offset: at }))
    }
    return changes
  }
}

export async function subscribe(query = ''): Promise<Subscriber> {
  return openSocket(`/api/changes/ws${query}`)
}

export async function openSocket(path: string, headers: Record<string, string> = {}) {
  const response = await worker.fetch(`http://belfry.test${path}`, {
    headers: { upgrade: 'websocket', ...headers },
  })
  if (!response.webSocket) throw new Error(`no socket: ${response.status} ${await response.text()}`)
  return new Subscriber(response.webSocket)
}

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), DEADLINE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
