import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
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
import { Denied, Unreachable } from './request-failures.ts'

/*
 * A socket that is silent while nothing moves. It lives as `lifecycle.ts` says, with full jitter
 * and for ever; its silence is broken by a ping, so that a dead way is found all the same.
 */

export type QuietSocketOptions = {
  /**
   * A text, or a function that is asked anew before every attempt, since what opens a socket may
   * be good once. It fails with `Denied` when no further attempt would help.
   */
  address: string | (() => Promise<string>)
  /** Whatever comes, but for `pong`. */
  hear(data: unknown): void
  /** Called at each change of state, beginning with `connecting`. */
  onState?(state: ConnectionState): void
}

export type QuietSocket = {
  readonly state: ConnectionState
  /** What was heard is a greeting: the socket is live. */
  greeted(): void
  /** What was heard cannot be followed: give up this socket and open another. */
  lose(reason: Loss): void
  /** At once. Nothing once closed. */
  reconnect(): void
  /** For good: no callback is called after the last `onState`. */
  close(): void
}

/** The shell: carries out what `lifecycle.ts` decides. */
export function quietSocketOn(world: Platform, options: QuietSocketOptions): QuietSocket {
  const { address } = options
  const asks = typeof address === 'function'
  let opening = asks ? '' : address
  let asked = 0
  let socket: Socket | null = null
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
    greeted: () => dispatch({ type: 'greeted' }),
    lose: (reason) => dispatch({ type: 'lost', reason }),
    reconnect: () => dispatch({ type: 'reconnect_asked' }),
    close() {
      stopListening()
      dispatch({ type: 'close_asked' })
    },
  }

  function dispatch(event: LifeEvent) {
    const before = life
    ;[life, effects] = live(life, event, { now: world.now(), random: world.random(), asks })
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
    if (what === 'ask') void ask()
    else if (what === 'open') open()
    else if (what === 'drop') drop()
    else socket?.send('ping')
  }

  async function ask() {
    if (typeof address !== 'function') return
    const mine = ++asked
    try {
      const given = await address()
      if (mine !== asked) return
      opening = given
      dispatch({ type: 'token_given' })
    } catch (error) {
      if (mine !== asked) return
      const detail = error instanceof Error ? error.message : String(error)
      if (error instanceof Denied) dispatch({ type: 'denied', detail })
      else if (error instanceof Unreachable)
        dispatch({ type: 'lost', reason: { kind: 'closed', code: 1006, name: null, detail: '' } })
      else dispatch({ type: 'lost', reason: { kind: 'token', detail } })
    }
  }

  function open() {
    let opened: Socket
    try {
      opened = new world.WebSocket(opening)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      // The address, and the ticket in it, may stand in the message.
      const detail = text.replaceAll(opening, opening.replace(/\?.*/, ''))
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
        dispatch({ type: 'socket_closed', code: code ?? 1006, detail: reason ?? '' })
    })
  }

  function drop() {
    const dropped = socket
    // First, so that nothing it still says is heard.
    socket = null
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
