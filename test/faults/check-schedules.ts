import type pg from 'pg'
import { micros } from '../../protocol/instant.ts'
import type { InboxUser } from '../support/inbox-user.ts'
import { checkInboxes } from './check-inboxes.ts'
import type { Device } from './devices.ts'
import { readLog } from './feed-log.ts'
import type { System } from './system.ts'

/** A device's clock shows whole milliseconds. */
const CLOCK_MS = 1

export type Found = { delivered: number; cancelled: number; latenessMs: number[] }

type Told = {
  id: number
  user_id: number
  state: string
  due_ms: number
  late_ms: number | null
}

/**
 * Holds what became of the schedules against Postgres and its clock: delivered once, none early,
 * and in the inbox of its user (P81, P82).
 */
export async function checkSchedules(
  system: System,
  sql: pg.Pool,
  users: readonly InboxUser[],
  devices: readonly Device[],
): Promise<Found> {
  const { violations } = system
  const { rows } = await sql.query<Told>(`
    SELECT id::int, user_id::int, state,
           extract(epoch FROM greatest(deliver_at, scheduled_at))::float8 * 1000 AS due_ms,
           extract(epoch FROM delivered_at - greatest(deliver_at, scheduled_at))::float8 * 1000 AS late_ms
      FROM notifications ORDER BY id`)
  const delivered = new Map<number, Told>()
  for (const row of rows) {
    if (row.state === 'delivered') delivered.set(row.id, row)
    else if (row.state !== 'cancelled')
      violations.add('P81', `notification ${row.id} is ${row.state} when all is over`)
    if (row.late_ms !== null && row.late_ms < 0)
      violations.add('P81', `notification ${row.id} was delivered ${-row.late_ms} ms early`)
  }
  await checkLog(system, delivered)
  await checkInboxes(sql, users, devices, violations)
  for (const device of devices) checkDevice(system, device, delivered)
  return {
    delivered: delivered.size,
    cancelled: rows.length - delivered.size,
    latenessMs: [...delivered.values()].map(({ late_ms }) => late_ms ?? Number.NaN),
  }
}

/** In the log each became delivered once, and not before its time. */
async function checkLog(system: System, delivered: ReadonlyMap<number, Told>): Promise<void> {
  const times = new Map<number, number>()
  for await (const changes of readLog(system))
    for (const { table, old, new: now } of changes) {
      if (table !== 'notifications' || now?.state !== 'delivered') continue
      if (old?.state === 'delivered') continue
      const id = now.id as number
      times.set(id, (times.get(id) ?? 0) + 1)
      if ((micros(now.delivered_at) ?? 0) < (micros(now.deliver_at) ?? 0))
        system.violations.add('P81', `in the log notification ${id} was delivered early`)
      if (!delivered.has(id))
        system.violations.add('P81', `notification ${id} was delivered, and now it is not`)
    }
  for (const id of delivered.keys())
    if (times.get(id) !== 1)
      system.violations.add(
        'P80 P81',
        `notification ${id} became delivered ${times.get(id) ?? 0} times in the log`,
      )
}

function checkDevice(
  { violations }: System,
  { user, heard, heardAgain, resets }: Device,
  delivered: ReadonlyMap<number, Told>,
): void {
  for (const id of heardAgain)
    violations.add('P83', `user ${user.id} was told of notification ${id} twice`)
  for (const { id, user_id, due_ms } of delivered.values()) {
    const atMs = heard.get(id)
    if (user_id !== user.id) {
      if (atMs) violations.add('P90', `user ${user.id} was told of ${id}, which is another's`)
    } else if (atMs === undefined) {
      // What a reset passes over is in the list that is read after it.
      if (resets === 0) violations.add('P83', `user ${user.id} was not told of notification ${id}`)
    } else if (atMs + CLOCK_MS < due_ms)
      violations.add('P81', `user ${user.id} heard of ${id} ${due_ms - atMs} ms before its time`)
  }
}
