import { setTimeout as delay } from 'node:timers/promises'
import { within } from '../../support/deadline.ts'

/**
 * The JavaScript heap of a worker's isolate, which is what the vendor's limit counts, by way of
 * workerd's inspector. What the runtime holds outside of it, as sockets' buffers, is not in it.
 */
const ANSWER_MS = 20_000
const COLLECT_MS = 300

/** @returns bytes in use after a garbage collection */
export async function heapBytes(inspector: number, port: number): Promise<number> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspector}/json`)).json()) as {
    webSocketDebuggerUrl: string
  }[]
  const [target] = targets
  if (!target) throw new Error('workerd shows no isolate')
  const socket = new WebSocket(target.webSocketDebuggerUrl)
  const opened = new Promise((resolve) => socket.addEventListener('open', resolve))
  await within(ANSWER_MS, 'the inspector open', opened)
  try {
    // It is collected, without an answer, when the isolate next has something to do.
    for (let time = 0; time < 5; time++) {
      socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
      await delay(COLLECT_MS)
      await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()
    }
    const { usedSize } = await ask<{ usedSize: number }>(socket, 2, 'Runtime.getHeapUsage')
    return usedSize
  } finally {
    socket.close()
  }
}

function ask<Result>(socket: WebSocket, id: number, method: string): Promise<Result> {
  const answer = new Promise<Result>((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => {
      const said = JSON.parse(String(data)) as { id?: number; result: Result; error?: unknown }
      if (said.id !== id) return
      if (said.error) reject(new Error(`${method}: ${JSON.stringify(said.error)}`))
      else resolve(said.result)
    })
  })
  socket.send(JSON.stringify({ id, method }))
  return within(ANSWER_MS, `the inspector answer ${method}`, answer)
}
