import type { WebSocket } from 'ws'
import { inboxFrame } from '../../../protocol/inbox-frames.ts'
import { within } from '../../support/deadline.ts'
import { InboxUser, type WorkerOfUsers } from '../../support/inbox-user.ts'
import { query } from '../postgres.ts'

/**
 * One statement notifies everyone. Some are connected: how long until the last of them has it, and
 * until the feed has handed it to every inbox.
 */
const TITLE = 'The shop closes at six'
const TOLD = `SELECT belfry.notify(NULL, '{"title": "${TITLE}", "content": {"text": "Come early."}}')`
const DEADLINE_MS = 600_000
const CONNECTING_AT_ONCE = 20

export type Told = {
  statementSeconds: number
  /** From the statement's beginning. */
  halfHeardSeconds: number
  lastHeardSeconds: number
  allHandedOverSeconds: number
}

export async function tellEveryone(
  worker: WorkerOfUsers,
  databaseUrl: string,
  connected: readonly number[],
): Promise<Told> {
  const heard: number[] = []
  const all = Promise.withResolvers<void>()
  const sockets = await connect(worker, connected, () => {
    heard.push(performance.now())
    if (heard.length === connected.length) all.resolve()
  })
  try {
    const began = performance.now()
    await query(databaseUrl, TOLD)
    const statementSeconds = (performance.now() - began) / 1000
    await within(DEADLINE_MS, `${connected.length} people told`, all.promise)
    await handedOver(worker.url)
    return {
      statementSeconds,
      halfHeardSeconds: ((heard[heard.length >> 1] as number) - began) / 1000,
      lastHeardSeconds: ((heard.at(-1) as number) - began) / 1000,
      allHandedOverSeconds: (performance.now() - began) / 1000,
    }
  } finally {
    for (const socket of sockets) socket.terminate()
  }
}

/** Each stands live, with nothing of before under way. */
async function connect(
  worker: WorkerOfUsers,
  ids: readonly number[],
  onTold: () => void,
): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  const waiting = [...ids]
  await Promise.all(
    Array.from({ length: CONNECTING_AT_ONCE }, async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const user = await InboxUser.signIn(id, worker)
        const socket = user.socket()
        sockets.push(socket)
        await live(socket, onTold)
      }
    }),
  )
  return sockets
}

function live(socket: WebSocket, onTold: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', (code) => reject(new Error(`a socket of an inbox closed with ${code}`)))
    socket.on('message', (text) => {
      const frame = inboxFrame.parse(JSON.parse(String(text)))
      if (frame.type === 'hello') resolve()
      else if (frame.type === 'notifications')
        for (const { title } of frame.notifications) if (title === TITLE) onTold()
    })
  })
}

type Status = { consumers: { name: string; behind: number }[] }

async function handedOver(url: string): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; performance.now() < deadline; ) {
    const answer = await fetch(`${url}/api/status`)
    const { consumers } = (await answer.json()) as Status
    if (consumers.find(({ name }) => name === 'inbox')?.behind === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the feed has not handed over all notifications to the inboxes')
}
