/// <reference lib="esnext.disposable" />
import type { Change, Operation } from '../../protocol/change.ts'
import type { ResetReason } from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import { type Life, type LifeEvent, type LifeStep, live, startLife, wakeAt } from './lifecycle.ts'
import { pingQueue } from './pings.ts'
import { type Platform, platform, type Socket } from './platform.ts'
import { parseFrame, positionOf, type ReaderEffect, read, startOf, startReader } from './reader.ts'
import type { Ending, Loss } from './reasons.ts'
import { subscribeAddress } from './subscribe-address.ts'

export type ConnectOptions = {
  /** Base address of the worker, `http://127.0.0.1:8787` or in a browser `location.origin`. */
  url: string
  /** Only this table. Tables outside the schema `public` are written `schema.name`. */
  table?: string
  /** Only these operations. */
  ops?: readonly Operation[]
  /** Columns that must equal this text in the new row or in the old. */
  filter?: Readonly<Record<string, string>>
  /**
   * Everything after this place. With `epoch: null`, an offset in whichever
   * epoch is current. Without it, from now on.
   */
  position?: Start
  /** One change; `position` stands right after it. */
  onChange?(change: Change, position: Position): void
  /** All changes of one frame, never empty; `position` stands after the frame. */
  onChanges?(changes: readonly Change[], position: Position): void
  /**
   * Changes were lost to us, for this reason: read a snapshot. The subscription
   * goes on from `position`, of which nothing will be missed.
   */
  onReset?(reason: ResetReason, position: Position): void
  /** Called at each change of state, beginning with `connecting`. */
  onState?(state: ConnectionState): void
}

export type ConnectionState =
  /** `attempt` counts from 1, and from 1 again after a connection that held. */
  | { state: 'connecting'; attempt: number }
  /** `hello` was heard. `since` in milliseconds since 1970. */
  | { state: 'live'; since: number }
  /** The next attempt follows in `retryInMs`, counted from when this was said. */
  | { state: 'waiting'; attempt: number; retryInMs: number; reason: Loss }
  /** For good. */
  | { state: 'closed'; reason: Ending }

export type Connection = {
  /** Everything up to here has been handed over. null before the first `hello`. */
  readonly position: Position | null
  readonly state: ConnectionState
  /** Drops the socket and connects at once, from the same position. Nothing once closed. */
  reconnect(): void
  /**
   * There and back over the open socket.
   * @returns milliseconds
   * @throws Error when the connection is not live, or no answer comes within 5 s (it then reconnects)
   */
  ping(): Promise<number>
  /** For good: no callback is called after the last `onState`. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * Follows the feed from a position, or from now on, across every break.
 * A callback that throws does not stop it: the error is reported as uncaught.
 * @throws TypeError when `url` is not an http(s) address
 */
export function connect(options: ConnectOptions): Connection {
  return connectOn(platform, options)
}

/** The shell: carries out what `lifecycle.ts` and `reader.ts` decide. */
export function connectOn(world: Platform, options: ConnectOptions): Connection {
  let reader = startReader(options.position ?? null)
  let handed = positionOf(reader)
  let socket: Socket | null = null
  let cancelTimer: (() => void) | null = null
  let armedFor = Number.POSITIVE_INFINITY
  const pings = pingQueue(world)

  // Says what is wrong with the address to the caller, before anything is begun.
  subscribeAddress(options, null)
  let [life, effects]: LifeStep = startLife(world.now())
  for (const effect of effects) carryOut(effect.do)
  arm()
  announce()
  const stopListening = world.onReturn((what) =>
    dispatch({ type: what === 'online' ? 'check' : 'shown' }),
  )

  return {
    get position() {
      return handed
    },
    get state() {
      return publicState(life)
    },
    reconnect: () => dispatch({ type: 'reconnect_asked' }),
    ping,
    close,
    [Symbol.dispose]: close,
  }

  function close() {
    stopListening()
    dispatch({ type: 'close_asked' })
  }

  function dispatch(event: LifeEvent) {
    const before = life
    ;[life, effects] = live(life, event, { now: world.now(), random: world.random() })
    // Before the callback, which may come back here.
    for (const effect of effects) carryOut(effect.do)
    arm()
    if (isNews(before, life)) announce()
  }

  function announce() {
    call(() => options.onState?.(publicState(life)))
  }

  function carryOut(what: 'open' | 'drop' | 'ping') {
    if (what === 'open') open()
    else if (what === 'drop') drop()
    else {
      pings.sent()
      socket?.send('ping')
    }
  }

  function open() {
    // A new socket begins with a new greeting.
    reader = startReader(startOf(reader))
    const opened = new world.WebSocket(subscribeAddress(options, startOf(reader)))
    socket = opened
    opened.addEventListener('message', ({ data }) => {
      if (socket === opened) hear(data)
    })
    opened.addEventListener('close', ({ code, reason }) => {
      if (socket === opened)
        dispatch({ type: 'socket_closed', code: code ?? 1006, detail: reason ?? '' })
    })
  }

  function drop() {
    const dropped = socket
    // First, so that nothing it still says is heard.
    socket = null
    dropped?.close()
    pings.brokeOff()
  }

  function hear(data: unknown) {
    dispatch({ type: 'heard' })
    if (data === 'pong') {
      pings.answered()
      return
    }
    const [next, effects] = read(reader, parseFrame(data))
    reader = next
    for (const effect of effects) handOver(effect)
    if (life.state !== 'closed') handed = positionOf(reader)
  }

  function handOver(effect: ReaderEffect) {
    if (life.state === 'closed') return
    switch (effect.do) {
      case 'greet':
        handed = positionOf(reader)
        dispatch({ type: 'greeted' })
        break
      case 'lose':
        dispatch({ type: 'lost', reason: effect.reason })
        break
      case 'reset':
        handed = effect.position
        call(() => options.onReset?.(effect.reason, effect.position))
        break
      case 'deliver':
        deliver(effect.changes, effect.position)
    }
  }

  function deliver(changes: readonly Change[], position: Position) {
    if (options.onChange) {
      for (const change of changes) {
        const after = { epoch: position.epoch, offset: change.offset }
        handed = after
        call(() => options.onChange?.(change, after))
        // Closed in the callback: what follows was not handed over.
        if (life.state === 'closed') return
      }
    }
    handed = position
    call(() => options.onChanges?.(changes, position))
  }

  async function ping(): Promise<number> {
    if (life.state !== 'live')
      throw new Error(`not connected (${life.state}): there is nobody to ask`)
    const answer = pings.expect()
    dispatch({ type: 'check' })
    return answer
  }

  /** One timer, moved only when it would fire too late: frames come by the thousand. */
  function arm() {
    const due = wakeAt(life)
    if (cancelTimer !== null && due !== null && armedFor <= due) return
    cancelTimer?.()
    cancelTimer = null
    if (due === null) return
    armedFor = due
    cancelTimer = world.timer(Math.max(0, due - world.now()), () => {
      cancelTimer = null
      dispatch({ type: 'woke' })
    })
  }

  function call(callback: () => void) {
    try {
      callback()
    } catch (error) {
      world.report(error)
    }
  }
}

function publicState(life: Life): ConnectionState {
  switch (life.state) {
    case 'connecting':
      return { state: 'connecting', attempt: life.attempt }
    case 'live':
      return { state: 'live', since: life.since }
    case 'waiting': {
      const { attempt, retryInMs, reason } = life
      return { state: 'waiting', attempt, retryInMs, reason }
    }
    case 'closed':
      return { state: 'closed', reason: life.reason }
  }
}

function isNews(before: Life, after: Life): boolean {
  if (before.state !== after.state) return true
  return (
    before.state === 'connecting' &&
    after.state === 'connecting' &&
    before.attempt !== after.attempt
  )
}
