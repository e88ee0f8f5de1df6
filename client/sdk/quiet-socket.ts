import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import { admissionOn, type Door } from './admission.ts'
import { type ConnectionState, isNews, publicState } from './connection-state.ts'
import {
  type LifeEffect,
  type LifeEvent,
  type LifeStep,
  live,
  startLife,
  wakeAt,
} from './lifecycle.ts'
import type { Platform, Socket } from './platform.ts'
import type { Loss } from './reasons.ts'

/*
 * A socket that is silent while nothing moves. It lives as `lifecycle.ts` says, with full jitter
 * and for ever; its silence is broken by a ping, so that a dead way is found all the same.
 */

export type QuietSocketOptions = {
  /** Asked anew before every attempt; its ticket is put to it. */
  address(): URL
  /** null where the socket is open to anyone. */
  door: Door | null
  /** Whatever comes, but for `pong`. */
  hear(data: unknown): void
  /** Called at each change of state, beginning with `connecting`. */
  onState?(state: ConnectionState): void
}

export type QuietSocket = {
  readonly state: ConnectionState
  /** What was heard is a greeting: the socket is live. */
  greeted(): void
  /** The server says in how many milliseconds the session ends; null: not by itself. */
  sessionTold(expiresInMs: number | null): void
  /** What was heard cannot be followed: give up this socket and open another. */
  lose(reason: Loss): void
  /** At once. Nothing once closed. */
  reconnect(): void
  /** For good: no callback is called after the last `onState`. */
  close(): void
}

/** As a socket says it that was closed without one. */
const NO_CODE = 1005

/** The shell: carries out what `lifecycle.ts` decides. */
export function quietSocketOn(world: Platform, options: QuietSocketOptions): QuietSocket {
  const admission = admissionOn(options.door, dispatch)
  const { asks, renews } = admission
  let socket: Socket | null = null
  let stopWatching: (() => void) | null = null
  let cancelWake: (() => void) | null = null
  let cancelPing: (() => void) | null = null
  let [life, effects]: LifeStep = startLife({ now: world.now(), asks })
  for (const effect of effects) carryOut(effect.do)
  arm()
  announce()
  const stopListening = world.onReturn((what) =>
    dispatch({ type: what === 'online' ? 'check' : 'shown' }),
  )

  return {
    get state() {
      return publicState(life)
    },
    greeted() {
      if (life.state === 'connecting' && socket)
        stopWatching = world.watchClosing?.(socket, brokeOff) ?? null
      dispatch({ type: 'greeted' })
    },
    sessionTold: (expiresInMs) => dispatch({ type: 'session_told', expiresInMs }),
    lose: (reason) => dispatch({ type: 'lost', reason }),
    reconnect: () => dispatch({ type: 'reconnect_asked' }),
    close() {
      stopListening()
      dispatch({ type: 'close_asked' })
    },
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
    try {
      options.onState?.(publicState(life))
    } catch (error) {
      world.report(error)
    }
  }

  function carryOut(what: LifeEffect['do']) {
    if (what === 'ask') admission.ask()
    else if (what === 'open') open()
    else if (what === 'drop') drop()
    else if (what === 'renew') admission.renew()
    else socket?.send(what === 'refresh' ? admission.refresh : 'ping')
  }

  function open() {
    let opened: Socket
    try {
      const address = options.address()
      if (admission.ticket !== null) address.searchParams.set('ticket', admission.ticket)
      opened = new world.WebSocket(address.href)
    } catch (error) {
      // The address, and the ticket in it, may stand in the message.
      const detail = admission.hide(error instanceof Error ? error.message : String(error))
      queueMicrotask(() => dispatch({ type: 'socket_closed', code: 1006, detail }))
      return
    }
    socket = opened
    opened.addEventListener('message', ({ data }) => {
      if (socket !== opened) return
      dispatch({ type: 'heard' })
      if (data !== 'pong') options.hear(data)
    })
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
  }

  /** Two timers: the next step of the life, and the next ping of a live socket. */
  function arm() {
    cancelWake?.()
    cancelWake = null
    const due = wakeAt(life)
    if (due !== null)
      cancelWake = world.timer(Math.max(0, due - world.now()), () => dispatch({ type: 'woke' }))
    cancelPing?.()
    cancelPing = null
    if (life.state === 'live' && life.heardAt + HEARTBEAT_MS > world.now())
      cancelPing = world.timer(life.heardAt + HEARTBEAT_MS - world.now(), () =>
        dispatch({ type: 'check' }),
      )
  }
}
