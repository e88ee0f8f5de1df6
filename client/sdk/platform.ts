import { type Inflate, inflater } from './arrivals.ts'
import { watchClosing } from './closing.ts'

/** The part of a WebSocket that is used here: the browser's, Node's, or a test's. */
export interface Socket {
  binaryType: string
  /** 2 while it is closing, whoever closes it. */
  readonly readyState?: number
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(
    type: 'message' | 'close',
    listener: (event: { type: string; data?: unknown; code?: number; reason?: string }) => void,
  ): void
}

/** What the shells need of the world; everything else in this folder is decided without it. */
export type Platform = {
  WebSocket: new (url: string) => Socket
  /** null where there is none: frames are then asked for as text. */
  inflate: Inflate | null
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some moment, in fractions, never stepping back. */
  stopwatch(): number
  /** In [0, 1). */
  random(): number
  /** @returns a function that cancels it */
  timer(ms: number, run: () => void): () => void
  /** Says when the network came back (`online`) or the page is shown again (`shown`). */
  onReturn(run: (what: 'online' | 'shown') => void): () => void
  /**
   * Watches a socket that may be closed without saying so; left out where each says so at once.
   * @returns a function that ends it
   */
  watchClosing?(socket: Socket, closed: () => void): () => void
  /** An error that belongs to the caller's own callback. */
  report(error: unknown): void
}

type EventSource = {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

export const platform: Platform = {
  // Read when it is used: it may be put in place after this module was loaded.
  get WebSocket() {
    return globalThis.WebSocket
  },
  inflate: inflater,
  now: () => Date.now(),
  stopwatch: () => performance.now(),
  random: () => Math.random(),
  timer,
  watchClosing: (socket, closed) => watchClosing({ now: Date.now, timer }, socket, closed),
  onReturn(run) {
    const page: EventSource = globalThis as EventSource
    const { document } = globalThis as {
      document?: EventSource & { visibilityState: string }
    }
    const online = () => run('online')
    const shown = () => document?.visibilityState === 'visible' && run('shown')
    page.addEventListener?.('online', online)
    document?.addEventListener?.('visibilitychange', shown)
    return () => {
      page.removeEventListener?.('online', online)
      document?.removeEventListener?.('visibilitychange', shown)
    }
  },
  report(error) {
    queueMicrotask(() => {
      throw error
    })
  },
}

function timer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
