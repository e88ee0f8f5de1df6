import type { Change } from '../../protocol/change.ts'
import type { Frame } from '../../protocol/frames.ts'

/** Who asks, in the headers of the handshake. */
export type Credentials = { headers: { authorization: string } }

/** A socket and the first change that it is told. */
export function firstChange(url: string, as: Credentials) {
  const socket = new WebSocket(url, as)
  const ready = new Promise<void>((resolve) => {
    socket.addEventListener('message', () => resolve(), { once: true })
  })
  const change = new Promise<Change>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame
      if (frame.type === 'changes' && frame.changes[0]) resolve(frame.changes[0])
    })
  })
  return { ready, change: change.finally(() => socket.close()) }
}

/** A socket that reads so many changes, and what was wrong with their order. */
export function readChanges(url: string, count: number, as: Credentials) {
  const socket = new WebSocket(url, as)
  const offsets: number[] = []
  const keys = new Set<string>()
  const gaps: string[] = []
  let at = 0
  let hello: () => void
  const ready = new Promise<void>((resolve) => {
    hello = resolve
  })
  const done = new Promise<{ offsets: number[]; keys: Set<string>; gaps: string[] }>(
    (resolve, reject) => {
      socket.addEventListener('close', ({ reason }) => reject(new Error(`closed: ${reason}`)))
      socket.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(String(data)) as Frame
        if (frame.type === 'hello') {
          at = frame.after
          return hello()
        }
        if (frame.type !== 'changes' || frame.after !== at)
          return void gaps.push(`${at}: ${frame.type}`)
        at = frame.through
        for (const { offset, key } of frame.changes) {
          offsets.push(offset)
          keys.add(JSON.stringify(key))
        }
        if (offsets.length >= count) resolve({ offsets, keys, gaps })
      })
    },
  )
  return { ready, done: done.finally(() => socket.close()) }
}
