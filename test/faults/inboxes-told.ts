import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { System } from './system.ts'

/** Every 5 minutes the feed looks for what is overdue; nothing may stay so for longer. */
const STILL_MS = 6 * 60_000

type Status = { consumers: { name: string; behind: number }[] }

/** Waits until nothing is scheduled any more, and the feed has handed everything over. */
export async function inboxesAreTold(
  system: System,
  sql: pg.Pool,
  say: (line: string) => void,
): Promise<void> {
  let last = ''
  let movedAt = Date.now()
  for (;;) {
    const { scheduled, owed } = await countOwed(sql)
    const behind = await behindOf(system)
    if (scheduled === 0 && owed === 0 && behind === 0) return
    const state = `${scheduled} scheduled, ${owed} in the outbox, the inbox consumer ${behind ?? '?'} behind`
    if (state !== last) {
      movedAt = Date.now()
      say(`settling: ${state}`)
    }
    last = state
    if (Date.now() - movedAt > STILL_MS) {
      system.violations.add('P81', `nothing has moved for ${STILL_MS / 1000} s: ${state}`)
      return
    }
    await delay(1_000)
  }
}

async function countOwed(sql: pg.Pool): Promise<{ scheduled: number; owed: number }> {
  const { rows } = await sql.query<{ scheduled: number; owed: number }>(
    `SELECT (SELECT count(*)::int FROM notifications WHERE state = 'scheduled') AS scheduled,
            (SELECT count(*)::int FROM belfry.outbox WHERE "table" <> 'belfry.canary') AS owed`,
  )
  return rows[0] ?? { scheduled: Number.NaN, owed: Number.NaN }
}

async function behindOf(system: System): Promise<number | null> {
  const status = await system.ask<Status>('/api/status').catch(() => null)
  return status?.consumers.find(({ name }) => name === 'inbox')?.behind ?? null
}
