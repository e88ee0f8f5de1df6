import { z } from 'zod'
import { HEARTBEAT_MS } from '../../protocol/frames.ts'
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
import { workerAddress } from './subscribe-address.ts'

/*
 * Law. A poke says that something moved and carries no truth: whoever hears it asks. Pokes may
 * fold, repeat or vanish. So none needs to be resumed: the first one of every socket comes at
 * once, and stands for all that were missed. The socket lives as `lifecycle.ts` says, with full
 * jitter and for ever. It is silent while nothing moves, so silence is broken by a ping.
 */

export type PokesOptions = {
  /** Base address of the worker. */
  url: string
  /** Of the socket, such as `api/emails/live`. */
  path: string
  /** Also once after every break. */
  onPoke(): void
  /** Called at each change of state, beginning with `connecting`. */
  onState?(state: ConnectionState): void
}

export type Pokes = {
  reconnect(): void
  /** For good: no callback is called after the last `onState`. */
  close(): void
}

const poke = z.object({ type: z.literal('moved') })

/** The shell: carries out what `lifecycle.ts` decides. */
export function pokesOn(world: Platform, { url, path, onPoke, onState }: PokesOptions): Pokes {
  const address = workerAddress(url, path)
  address.protocol = address.protocol.replace('http', 'ws')
  let socket: Socket | null = null
  let cancelWake: (() => void) | null = null
  let cancelPing: (() => void) | null = null
  let [life, effects]: LifeStep = startLife({ now: world.now(), asks: false })
  for (const effect of effects) carryOut(effect.do)
  arm()
  announce()
  const stopListening = world.onReturn((what) =>
    dispatch({ type: what === 'online' ? 'check' : 'shown' }),
  )

  return {
    reconnect: () => dispatch({ type: 'reconnect_asked' }),
    close() {
      stopListening()
      dispatch({ type: 'close_asked' })
    },
  }

  function dispatch(event: LifeEvent) {
    const before = life
    const chance = { now: world.now(), random: world.random(), asks: false }
    ;[life, effects] = live(life, event, chance)
    // Before the callback, which may come back here.
    for (const effect of effects) carryOut(effect.do)
    arm()
    if (isNews(before, life)) announce()
  }

  function announce() {
    call(() => onState?.(publicState(life)))
  }

  function carryOut(what: LifeEffect['do']) {
    if (what === 'open') open()
    else if (what === 'drop') drop()
    else if (what === 'ping') socket?.send('ping')
  }

  function open() {
    let opened: Socket
    try {
      opened = new world.WebSocket(address.href)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      queueMicrotask(() => dispatch({ type: 'socket_closed', code: 1006, detail }))
      return
    }
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
  }

  function hear(data: unknown) {
    dispatch({ type: 'heard' })
    if (data === 'pong') return
    if (!isPoke(data)) {
      dispatch({ type: 'lost', reason: { kind: 'malformed', detail: 'it is not a poke' } })
      return
    }
    dispatch({ type: 'greeted' })
    if (life.state !== 'closed') call(onPoke)
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

  function call(callback: () => void) {
    try {
      callback()
    } catch (error) {
      world.report(error)
    }
  }
}

function isPoke(data: unknown): boolean {
  if (typeof data !== 'string') return false
  try {
    return poke.safeParse(JSON.parse(data)).success
  } catch {
    return false
  }
}
