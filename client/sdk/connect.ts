/// <reference lib="esnext.disposable" />
import { formatAck } from '../../protocol/acknowledgement.ts'
import type { Change, Operation } from '../../protocol/change.ts'
import type { ResetReason } from '../../protocol/frames.ts'
import type { Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { admissionOn, doorOf } from './admission.ts'
import { arrivals } from './arrivals.ts'
import { type ConnectionState, isNews, publicState } from './connection-state.ts'
import {
  type LifeEffect,
  type LifeEvent,
  type LifeStep,
  live,
  startLife,
  wakeAt,
} from './lifecycle.ts'
import { pingQueue } from './pings.ts'
import type { Platform, Socket } from './platform.ts'
import { parseFrame, positionOf, type ReaderEffect, read, startOf, startReader } from './reader.ts'
import { subscribeAddress } from './subscribe-address.ts'
import type { Token } from './token.ts'

export type ConnectOptions = {
  /** Base address of the worker, `http://127.0.0.1:8787` or in a browser `location.origin`. */
  url: string
  /**
   * Who asks. It goes in a header, for a ticket that opens one socket; in no address. A function is
   * asked anew before every attempt, and in time before a session ends, which is then prolonged
   * over the same socket. A text that is refused ends the connection.
   */
  token?: Token
  /**
   * `my-orders`: the orders of the user whose token it is, and nobody else's. One that becomes
   * theirs arrives as an insert, one that ceases to be as a delete.
   */
  topic?: 'my-orders'
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

/** As a socket says it that was closed without one. */
const NO_CODE = 1005

/** The shell: carries out what `lifecycle.ts` and `reader.ts` decide. */
export function connectOn(
  world: Platform,
  options: ConnectOptions,
  fetchIt?: typeof fetch,
): Connection {
  let reader = startReader(options.position ?? null)
  let handed = positionOf(reader)
  let socket: Socket | null = null
  let cancelTimer: (() => void) | null = null
  let stopWatching: (() => void) | null = null
  let armedFor = Number.POSITIVE_INFINITY
  let acknowledgements: Acknowledgements | null = null
  const pings = pingQueue(world)

  // Says what is wrong to the caller, before anything is begun.
  subscribeAddress(options, null)
  if (!world.WebSocket)
    throw new TypeError('there is no WebSocket here: use Node 22 or later, or a browser')
  const { url, token, topic } = options
  if (topic !== undefined && token === undefined)
    throw new TypeError('token: whose orders? Give the token of a user')
  const door = doorOf(url, token, topic === undefined ? 'changes' : 'orders', fetchIt)
  const admission = admissionOn(door, dispatch)
  const { asks, renews } = admission
  let [life, effects]: LifeStep = startLife({ now: world.now(), asks })
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
    ;[life, effects] = live(life, event, { now: world.now(), random: world.random(), asks, renews })
    // Before the callback, which may come back here.
    for (const effect of effects) carryOut(effect.do)
    arm()
    if (isNews(before, life)) announce()
  }

  function announce() {
    call(() => options.onState?.(publicState(life)))
  }

  function carryOut(what: LifeEffect['do']) {
    if (what === 'open') open()
    else if (what === 'ask') admission.ask()
    else if (what === 'drop') drop()
    else if (what === 'renew') admission.renew()
    else if (what === 'refresh') socket?.send(admission.refresh)
    else {
      pings.sent()
      socket?.send('ping')
    }
  }

  function open() {
    // A new socket begins with a new greeting.
    reader = startReader(startOf(reader))
    let opened: Socket
    try {
      const asking = { ...options, deflate: world.inflate !== null }
      opened = new world.WebSocket(subscribeAddress(asking, startOf(reader), admission.ticket))
    } catch (error) {
      // The page's own policy, say. The address, and the ticket in it, may stand in the message.
      const detail = admission.hide(error instanceof Error ? error.message : String(error))
      queueMicrotask(() => dispatch({ type: 'socket_closed', code: 1006, detail }))
      return
    }
    socket = opened
    opened.binaryType = 'arraybuffer'
    const arrived = arrivals(world.inflate, (message, bytes) => {
      // Of a socket that was left, what is still being inflated comes again on the next one.
      if (socket === opened) hear(message, bytes)
    })
    opened.addEventListener('message', ({ data }) => arrived(data))
    opened.addEventListener('close', ({ code, reason }) => {
      if (socket === opened)
        dispatch({
          type: 'socket_closed',
          code: code ?? 1006,
          detail: admission.hide(reason ?? ''),
        })
    })
  }

  function brokeOff() {
    dispatch({ type: 'socket_closed', code: NO_CODE, detail: '' })
  }

  function drop() {
    const dropped = socket
    // First, so that nothing it still says is heard.
    socket = null
    stopWatching?.()
    dropped?.close()
    pings.brokeOff()
  }

  /** @param bytes of it on the wire */
  function hear(data: unknown, bytes: number) {
    dispatch({ type: 'heard' })
    if (data === 'pong') {
      pings.answered()
      return
    }
    const hearing = socket
    const frame = parseFrame(data)
    if (frame.type === 'refreshed') return sessionTold(frame)
    if (frame.type === 'hello')
      acknowledgements = new Acknowledgements(frame.window, world.random())
    const [next, effects] = read(reader, frame)
    reader = next
    for (const effect of effects) handOver(effect)
    if (life.state === 'closed') return
    if (frame.type === 'hello' && socket === hearing) sessionTold(frame)
    handed = positionOf(reader)
    // Not before the callbacks have run: while they do, the server waits with us.
    if (socket === hearing && handed && acknowledgements?.isDue(bytes))
      hearing?.send(formatAck(handed))
  }

  function sessionTold({ expires_in_ms }: { expires_in_ms?: number | null | undefined }) {
    dispatch({ type: 'session_told', expiresInMs: expires_in_ms ?? null })
  }

  function handOver(effect: ReaderEffect) {
    if (life.state === 'closed') return
    switch (effect.do) {
      case 'greet':
        handed = positionOf(reader)
        stopWatching?.()
        if (socket) stopWatching = world.watchClosing?.(socket, brokeOff) ?? null
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
