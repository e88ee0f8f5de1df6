import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { InboxUser } from '../support/inbox-user.ts'
import type { Chance } from './chance.ts'
import { checkSchedules } from './check-schedules.ts'
import { Device } from './devices.ts'
import { faultNamed } from './faults.ts'
import { inboxesAreTold } from './inboxes-told.ts'
import { reportSchedules } from './report-schedules.ts'
import { strike } from './storm.ts'
import type { System } from './system.ts'

/**
 * The storm of schedules (P81): many notifications become due within one minute, while what must
 * deliver them is killed. Some are cancelled or put off meanwhile. Some users are connected all the
 * time, the others read when it is over.
 */
const USERS = 1_000
const NOTIFICATIONS = 10_000
const CONNECTED = 100
const FIRST_DUE_MS = 20_000
const DUE_WITHIN_MS = 60_000

/** Each twice or more, in an order that the seed draws. */
const STRIKES: readonly string[] = [
  ...Array.from({ length: 5 }, () => 'worker killed'),
  ...['listeners killed', 'listeners killed', 'leader killed', 'worker and leader killed'],
  ...['objects evicted', 'objects evicted', 'objects aborted', 'objects aborted'],
  ...['Postgres killed', 'link cut', 'database connection cut'],
]

export async function playSchedules(
  system: System,
  sql: pg.Pool,
  { seed, chance, say }: { seed: number; chance: Chance; say(line: string): void },
): Promise<0 | 1> {
  for (const listener of system.listeners) listener.start()
  await sql.query(
    `INSERT INTO users (id, name) SELECT n, 'User ' || n FROM generate_series(1, ${USERS}) AS n`,
  )
  const users = await Promise.all(
    Array.from({ length: USERS }, (_, index) => InboxUser.signIn(index + 1, system.asUsers)),
  )
  const devices = users
    .filter((_, index) => index % (USERS / CONNECTED) === 0)
    .map((user) => new Device(user, system.violations))
  await Promise.all(devices.map((device) => device.start()))
  say(`${USERS} users, ${CONNECTED} of them connected`)

  await sql.query(SCHEDULE, [FIRST_DUE_MS, DUE_WITHIN_MS])
  const began = Date.now()
  say(`${NOTIFICATIONS} notifications are due from ${FIRST_DUE_MS / 1000} s on, within a minute`)
  const isOver = () => Date.now() > began + FIRST_DUE_MS + DUE_WITHIN_MS
  const changing = changeMinds(sql, chance.of('people'), isOver)
  const struck = await strikeAll({ system, sql, chance: chance.of('faults') }, say)
  const changed = await changing
  say(`the minute and the faults are over; ${changed} were cancelled or put off`)
  await inboxesAreTold(system, sql, say)

  say('checking')
  const found = await checkSchedules(system, sql, users, devices)
  for (const device of devices) device.stop()
  return reportSchedules({ system, seed, struck, changed, devices, ...found })
}

/** As any product's SQL may: nothing but who, what and when. */
const SCHEDULE = `
  INSERT INTO notifications (user_id, category, title, content, scheduled_at)
  SELECT 1 + n % ${USERS}, 'reminders', 'Reminder ' || n, json_build_object('n', n),
         now() + ($1::int + random() * $2::int) * interval '1 millisecond'
    FROM generate_series(1, ${NOTIFICATIONS}) AS n
   ORDER BY 1`

async function strikeAll(
  scene: { system: System; sql: pg.Pool; chance: Chance },
  say: (line: string) => void,
): Promise<Map<string, number>> {
  const struck = new Map<string, number>()
  await delay(FIRST_DUE_MS / 2)
  const pauseMs = (DUE_WITHIN_MS + FIRST_DUE_MS / 2) / STRIKES.length
  for (const [index, name] of scene.chance.shuffle(STRIKES).entries()) {
    const chance = scene.chance.of(`${name} ${index}`)
    const began = Date.now()
    if (await strike(faultNamed(name), { ...scene, chance }, say))
      struck.set(name, (struck.get(name) ?? 0) + 1)
    await delay(Math.max(0, began + pauseMs - Date.now()))
  }
  return struck
}

/** What happens while the server is down is left undone. @returns how many were changed */
async function changeMinds(sql: pg.Pool, chance: Chance, isOver: () => boolean): Promise<number> {
  let changed = 0
  while (!isOver()) {
    const set =
      chance.next() < 0.5
        ? "state = 'cancelled'"
        : `scheduled_at = clock_timestamp() + ${chance.whole(0, 10_000)} * interval '1 millisecond'`
    const one = `UPDATE notifications SET ${set} WHERE id = $1 AND state = 'scheduled'`
    const { rowCount } = await sql
      .query(one, [chance.whole(1, NOTIFICATIONS)])
      .catch(() => ({ rowCount: 0 }))
    changed += rowCount ?? 0
    await delay(chance.whole(0, 100))
  }
  return changed
}
