import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { readLog } from './feed-log.ts'
import type { System } from './system.ts'

/** As for mails: what cannot be handled is tried eight times. */
const PARKING_MS = 180_000

type Status = { consumers: { name: string; behind: number; error: string | null }[] }
type Rule = { id: number; channel: string; enabled: boolean }

/**
 * Whoever is an order's customer hears once that it was shipped (P86), by the rule that stands
 * before the change in the log (P58). Writers delete nothing that a rule has written.
 * @returns how many were owed
 */
export async function checkNotices(
  system: System,
  sql: pg.Pool,
  say: (line: string) => void,
): Promise<number> {
  await caughtUp(system, say)
  const owed = await owedNotices(system)
  const { rows } = await sql.query<{ written: number }>(
    'SELECT count(*)::int AS written FROM notifications WHERE origin IS NOT NULL',
  )
  const written = rows[0]?.written
  if (written !== owed)
    system.violations.add('P86', `rules owe ${owed} notifications, ${written} were written`)
  return owed
}

async function caughtUp(system: System, say: (line: string) => void): Promise<void> {
  for (const deadline = Date.now() + PARKING_MS; ; ) {
    const { consumers } = await system.ask<Status>('/api/status')
    const notices = consumers.find(({ name }) => name === 'notices')
    if (notices?.behind === 0) return
    const state = `the consumer of rules for inboxes is ${notices?.behind} changes behind`
    if (Date.now() > deadline) {
      system.violations.add('P86', `${state}: ${notices?.error}`)
      return
    }
    say(state)
    await delay(2_000)
  }
}

async function owedNotices(system: System): Promise<number> {
  const rules = new Map<unknown, Rule>()
  let owed = 0
  for await (const changes of readLog(system))
    for (const { table, op, key, old, new: now, oversize } of changes) {
      if (table === 'rules') {
        if (op === 'delete') rules.delete(key?.id)
        else rules.set(key?.id, now as unknown as Rule)
      }
      if (table !== 'orders' || oversize || (op !== 'insert' && op !== 'update')) continue
      if (now?.status !== 'shipped' || old?.status === 'shipped' || now.customer_id === null)
        continue
      owed += [...rules.values()].filter(
        ({ channel, enabled }) => channel === 'inbox' && enabled,
      ).length
    }
  return owed
}
