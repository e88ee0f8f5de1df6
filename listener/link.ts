import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Backoff, fullJitter } from '../protocol/backoff.ts'
import { closeCodes, closeName } from '../protocol/close-codes.ts'
import { type ToFeed, type ToListener, toListener } from '../protocol/link.ts'
import { signLink } from '../protocol/signature.ts'

const BACKOFF: Backoff = { baseMs: 200, capMs: 10_000 }
/** A feed that refuses us for a reason that a person must mend is asked at this pace. */
const REFUSED_RETRY_MS = 10_000
const ANSWER_TIMEOUT_MS = 15_000
const PING_MS = 5_000

export type LinkOptions = {
  /** Base address of the worker. */
  feedUrl: string
  secret: string
  source: string
  listener: string
}

export type Ack = Extract<ToListener, { type: 'ack' }>

/** The feed has seen a later term: who still holds the lock may take one above it. */
export class FencedError extends Error {
  readonly term: number
  constructor(term: number) {
    super(`the feed has seen term ${term}`)
    this.term = term
  }
}

/** What a close code means for the person who runs this, and what to do. */
const REMEDIES: { [name: string]: string } = {
  unauthorized: 'Set the same LINK_SECRET here and at the worker, and check both clocks.',
  other_source:
    'To let the feed begin anew with this database, run: npm run belfry -- feed reset --yes. Until then nothing is sent.',
}

/**
 * The way to the feed, for one term. It reconnects for as long as it is asked for; a batch that
 * was not answered is the caller's to send again.
 */
export class Link {
  readonly #options: LinkOptions
  readonly #term: number
  readonly #log: (line: string) => void
  #session: Session | null = null
  #connecting: Promise<Session> | null = null
  /** The epoch of the feed that welcomed us last. */
  feed: string | null = null
  /** That feed knows the canary. */
  takesCanary = false

  constructor(options: LinkOptions, term: number, log: (line: string) => void) {
    this.#options = options
    this.#term = term
    this.#log = log
  }

  get open(): boolean {
    return this.#session !== null && !this.#session.closed
  }

  /**
   * Sends a batch, through as many connections as it takes.
   * @param changes each the JSON text of one change
   * @throws FencedError; or the signal's reason
   */
  async deliver(changes: readonly string[], signal: AbortSignal): Promise<Ack> {
    for (let attempt = 1; ; attempt++) {
      const session = await this.ready(signal)
      try {
        return await session.deliver(changes)
      } catch (error) {
        if (error instanceof FencedError) throw error
        signal.throwIfAborted()
        this.#log(`the batch was not answered (${message(error)}); sending it again`)
        await pause(fullJitter(attempt, BACKOFF, Math.random()), signal)
      }
    }
  }

  /** Nothing if the link is down: the next pulse will do. */
  pulse(pulse: Omit<Extract<ToFeed, { type: 'pulse' }>, 'type'>): void {
    if (this.open) this.#session?.say({ type: 'pulse', ...pulse })
  }

  close(): void {
    this.#session?.close(1000, 'the listener stops')
    this.#session = null
  }

  /**
   * Keeps the link open while there is nothing to send, so that the feed knows of us.
   * @throws FencedError; or the signal's reason
   */
  async keep(signal: AbortSignal): Promise<never> {
    for (;;) {
      const session = await this.ready(signal)
      const ending = await session.ended
      if (ending instanceof FencedError) throw ending
    }
  }

  /** @returns an open session, connecting until there is one; who asks meanwhile waits with us */
  ready(signal: AbortSignal): Promise<Session> {
    this.#connecting ??= this.#connect(signal).finally(() => {
      this.#connecting = null
    })
    return this.#connecting
  }

  async #connect(signal: AbortSignal): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      if (this.#session && !this.#session.closed) return this.#session
      const session = new Session(this.#options, this.#term)
      try {
        const { epoch, head, canary = false } = await session.welcome(signal)
        this.#session = session
        this.feed = epoch
        this.takesCanary = canary
        this.#log(`linked to the feed: epoch ${epoch}, head ${head}`)
        return session
      } catch (error) {
        session.close(1000, 'giving up')
        if (error instanceof FencedError) throw error
        signal.throwIfAborted()
        const waitMs =
          error instanceof RefusedError
            ? REFUSED_RETRY_MS
            : fullJitter(attempt, BACKOFF, Math.random())
        this.#log(`no link to the feed (${message(error)}); trying again in ${waitMs} ms`)
        await pause(waitMs, signal)
      }
    }
  }
}

/** A refusal that only a person can mend. */
class RefusedError extends Error {}

/** One connection of the link. */
class Session {
  readonly #term: number
  readonly #options: LinkOptions
  #socket: WebSocket | null = null
  #seq = 0
  #heard: ((said: ToListener) => void) | null = null
  #fail: (error: Error) => void = () => undefined
  /** Resolves with the reason when the connection is over. */
  readonly ended: Promise<Error>
  #pongDue: NodeJS.Timeout | null = null
  closed = false

  constructor(options: LinkOptions, term: number) {
    this.#options = options
    this.#term = term
    this.ended = new Promise((resolve) => {
      this.#fail = (error) => {
        this.closed = true
        resolve(error)
      }
    })
  }

  /** Connects, says `open`, and waits for the answer. */
  async welcome(signal: AbortSignal): Promise<Extract<ToListener, { type: 'welcome' }>> {
    const { feedUrl, secret, source, listener } = this.#options
    const address = new URL('/link', feedUrl)
    address.protocol = address.protocol.replace('http', 'ws')
    const authorization = await signLink(secret, Date.now(), randomUUID())
    signal.throwIfAborted()
    // Node's WebSocket takes headers, which the browser's type does not know.
    const socket = new WebSocket(address, { headers: { authorization } } as unknown as string[])
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#onMessage(String(data)))
    socket.addEventListener('error', () => this.#fail(new Error(`cannot reach ${address.origin}`)))
    socket.addEventListener('close', ({ code, reason }) => this.#fail(explain(code, reason)))
    const onAbort = () => this.close(1000, 'the listener stops')
    signal.addEventListener('abort', onAbort)
    void this.ended.then(() => signal.removeEventListener('abort', onAbort))
    const opened = new Promise<void>((resolve) => {
      socket.addEventListener('open', () => resolve(), { once: true })
    })
    await this.#within(opened)
    this.#keepAlive()
    const said = await this.#ask({ type: 'open', source, term: this.#term, listener })
    if (said.type !== 'welcome') throw new Error(`expected a welcome, heard ${said.type}`)
    return said
  }

  async deliver(changes: readonly string[]): Promise<Ack> {
    const seq = ++this.#seq
    const said = await this.#ask(`{"type":"batch","seq":${seq},"changes":[${changes.join(',')}]}`)
    if (said.type === 'ack' && said.seq === seq) return said
    this.close(1000, `expected ack ${seq}`)
    throw new Error(`expected ack ${seq}`)
  }

  say(message: ToFeed | string): void {
    this.#socket?.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  close(code: number, reason: string): void {
    this.#fail(new Error(reason))
    this.#socket?.close(code, reason)
  }

  #ask(message: ToFeed | string): Promise<ToListener> {
    const answer = new Promise<ToListener>((resolve) => {
      this.#heard = resolve
    })
    this.say(message)
    return this.#within(answer)
  }

  async #within<T>(promise: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.close(1000, 'no answer within 15 s'), ANSWER_TIMEOUT_MS)
    try {
      const over = this.ended.then((error): never => {
        throw error
      })
      return await Promise.race([promise, over])
    } finally {
      clearTimeout(timer)
    }
  }

  #onMessage(text: string): void {
    if (text === 'pong') {
      if (this.#pongDue) clearTimeout(this.#pongDue)
      this.#pongDue = null
      return
    }
    const said = parse(text)
    if (said === null) return this.close(1000, 'the feed said something unreadable')
    if (said.type === 'fenced') return this.#fail(new FencedError(said.term))
    this.#heard?.(said)
  }

  /** A half-open connection says nothing: a ping without a pong ends it. */
  #keepAlive(): void {
    const pings = setInterval(() => {
      if (this.#pongDue) return
      this.say('ping')
      this.#pongDue = setTimeout(() => this.close(1000, 'no pong'), PING_MS)
    }, PING_MS)
    void this.ended.then(() => {
      clearInterval(pings)
      if (this.#pongDue) clearTimeout(this.#pongDue)
    })
  }
}

function parse(text: string): ToListener | null {
  try {
    return toListener.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

function explain(code: number, reason: string): Error {
  const name = closeName(code)
  if (name === null) return new Error(reason || `closed with ${code}`)
  const sentence = [reason, REMEDIES[name]].filter(Boolean).join('. ')
  return closeCodes[name].retry ? new Error(sentence) : new RefusedError(sentence)
}

/** Ends early when the signal says so; whoever goes on from here asks it why. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal }).catch(() => undefined)
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
