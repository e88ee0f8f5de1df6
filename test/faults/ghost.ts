import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { CapturedChange } from '../../protocol/change.ts'
import type { ToFeed } from '../../protocol/link.ts'
import { signLink } from '../../protocol/signature.ts'
import type { Fault, Scene } from './faults.ts'
import { Wire } from './wire.ts'

/** Longer than a leader that was fenced needs to take the next term. */
const UNDER_WAY_MS = 2_500
/** A silent link is found within 15 s, and a beat comes every 5. */
const HEARD_WITHIN_MS = 25_000

/**
 * An old leader that is not dead. It speaks with a change that nobody has committed, so that one
 * of its batches in the log cannot be taken for anything else.
 *
 * First it comes with a term that is over: its `open` must be refused, and what follows with it.
 * Then it comes with the term of the day, which is let in as the leader's own new link (and puts
 * the leader out, who takes the next term); its batch is slow on the way and arrives after that.
 */
export const ghost: Fault = {
  name: 'ghost of an old term',
  when: 'any time',
  async strike(scene) {
    const before = await rightsOf(scene)
    if (before.term < 2) return 'there is no old term yet'
    const old = before.term - 1
    await haunt(scene, { ...before, term: old }, 0)
    if (!(await leaderIsHeard(scene)))
      return `term ${old}; no leader was heard that could be put out`
    const now = await rightsOf(scene)
    await haunt(scene, now, UNDER_WAY_MS)
    return `terms ${old} and ${now.term}`
  },
}

async function rightsOf({ sql }: Scene): Promise<{ term: number; source: string }> {
  const { rows } = await sql.query<{ term: string | null; source: string }>(
    'SELECT (SELECT max(term) FROM belfry.terms) AS term, source FROM belfry.identity',
  )
  return { term: Number(rows[0]?.term ?? 0), source: rows[0]?.source ?? '' }
}

type Status = { canary: { beat: number; at: string } | null }

/**
 * A beat came just now. A leader whose link is silent, by a fault before this one, does not hear
 * that it is put out and takes no other term: until it notices, the ghost would lead by right.
 */
async function leaderIsHeard({ system }: Scene): Promise<boolean> {
  const beatAt = async () => {
    const status = await system.ask<Status>('/api/status').catch(() => null)
    return status?.canary?.at ?? null
  }
  const before = await beatAt()
  for (const until = Date.now() + HEARD_WITHIN_MS; Date.now() < until; await delay(100)) {
    const at = await beatAt()
    if (at !== null && at !== before) return true
  }
  return false
}

async function haunt(
  { system, chance }: Scene,
  { source, term }: { source: string; term: number },
  underWayMs: number,
): Promise<void> {
  const wire = await Wire.to(() => Number(new URL(system.workerUrl).port))
  const authorization = await signLink(system.secret, Date.now(), randomUUID())
  const socket = new WebSocket(`ws://127.0.0.1:${wire.port}/link`, {
    headers: { authorization },
  } as unknown as string[])
  const say = (message: ToFeed) => socket.send(JSON.stringify(message))
  const over = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => resolve())
    socket.addEventListener('error', () => resolve())
    socket.addEventListener('open', () => {
      say({ type: 'open', source, term, listener: 'a ghost' })
      if (underWayMs === 0) say({ type: 'batch', seq: 1, changes: [neverCommitted(chance.next())] })
    })
    socket.addEventListener('message', ({ data }) => {
      if (underWayMs === 0 || !String(data).includes('welcome')) return
      wire.delay(underWayMs)
      say({ type: 'batch', seq: 1, changes: [neverCommitted(chance.next())] })
    })
  })
  await Promise.race([over, delay(underWayMs + 1_000)])
  await wire.close()
}

function neverCommitted(chance: number): CapturedChange {
  const row = { id: 7_000_000 + Math.floor(chance * 1_000_000), who: 'a ghost' }
  const at = new Date().toISOString()
  return {
    id: randomUUID(),
    table: 'bells',
    op: 'insert',
    key: { id: row.id },
    new: row,
    old: null,
    at,
  }
}
