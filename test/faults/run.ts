import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { Audience } from './audience.ts'
import { raceTheBell } from './bell-race.ts'
import { Chance } from './chance.ts'
import { check } from './check.ts'
import { checkInboxes } from './check-inboxes.ts'
import { checkMail } from './check-mail.ts'
import { checkNotices } from './check-notices.ts'
import { feedHead } from './feed-log.ts'
import { inboxesAreTold } from './inboxes-told.ts'
import { type Options, parseOptions } from './options.ts'
import { People } from './people.ts'
import { countChanges } from './records.ts'
import { report, Voice } from './report.ts'
import { playSchedules } from './schedules.ts'
import { settle } from './settle.ts'
import { storm } from './storm.ts'
import { System } from './system.ts'
import { INBOX_USERS } from './transactions-of-inboxes.ts'
import { Violations } from './violations.ts'
import { Writers } from './writers.ts'

/**
 * `npm run test:faults`: the promise held against real processes that are killed, frozen and cut
 * off while writers write.
 *
 * A full outbox waits before the first listener comes; then faults strike; then, in a calm, the
 * bell is raced; then all must have arrived, and the checker compares. What it proves and what it
 * cannot is in NOTES.md. Ends with 0 if no promise was broken, 1 if one was, 2 if the run itself
 * could not be had.
 */
const BELL_RACES = { short: 10, long: 60 }
const PROGRESS_MS = 5_000

async function run(options: Options): Promise<number> {
  const voice = new Voice()
  const { seed, form, seconds, outbox } = options
  voice.say(
    options.schedules
      ? `seed ${seed}: the storm of schedules`
      : `seed ${seed}, ${form} form: faults for ${seconds} s, ${outbox} changes in the outbox at the start`,
  )
  const system = await System.start(new Violations(), voice.say)
  voice.keepIn(system.folder)
  const giveUp = (code: number) =>
    void system.stop({ keep: true }).finally(() => process.exit(code))
  process.once('SIGINT', () => giveUp(130))
  process.once('uncaughtException', (error) => {
    console.error(error)
    giveUp(2)
  })
  let code = 2
  try {
    code = options.schedules
      ? await playAlone(system, options, voice)
      : await play(system, options, voice)
  } finally {
    await system.stop({ keep: options.keep || code !== 0 })
  }
  return code
}

async function play(system: System, options: Options, { say }: Voice): Promise<number> {
  const { seed, form, seconds, outbox } = options
  const chance = new Chance(seed)
  const sql = admin(system)
  await fill(sql, outbox)
  say(`${outbox} changes wait in the outbox`)
  const audience = new Audience(system, chance.of('audience'))
  const writers = new Writers(system.writerUrl, chance.of('writers'))
  for (const listener of system.listeners) listener.start()
  await rulesAreRead(system)
  await sql.query(
    `INSERT INTO users (id, name) SELECT n, 'User ' || n FROM generate_series(1, ${INBOX_USERS}) AS n`,
  )
  const people = await People.join(system, chance.of('people'))
  writers.start(options.writers)

  const progress = setInterval(() => void tell(system, writers, say), PROGRESS_MS)
  const scene = { system, sql, chance: chance.of('faults') }
  const struck = await storm(scene, { seconds, form }, say)
  await writers.stop()
  await people.stop()
  clearInterval(progress)
  say('the faults are over and the writers have stopped')
  await settle(system, audience, say)

  await startAfresh(system)
  const race = await raceTheBell(system, chance.of('bell'), BELL_RACES[form])
  say(`the bell was raced ${race.rounds} times`)
  await settle(system, audience, say)
  await checkMail(system, say)
  const notices = await checkNotices(system, sql, say)
  await inboxesAreTold(system, sql, say)
  await settle(system, audience, say)
  await checkInboxes(sql, people.users, people.devices, system.violations)
  await readCounters(system)
  say('checking')
  const changes = await check(system, audience)
  const code = report({
    ...{ seed, system, audience, people, tally: writers.tally },
    ...{ struck, race, changes, notices },
  })
  people.leave()
  await audience.stop()
  await sql.end()
  return code
}

async function playAlone(system: System, { seed }: Options, { say }: Voice): Promise<number> {
  const sql = admin(system)
  const code = await playSchedules(system, sql, { seed, chance: new Chance(seed), say })
  await sql.end()
  return code
}

/** Listeners with a clock that is right: one that was set back stays awake until it has caught up. */
async function startAfresh(system: System): Promise<void> {
  await readCounters(system)
  await Promise.all(system.listeners.map((listener) => listener.end('SIGTERM')))
  for (const listener of system.listeners) listener.start()
}

/** Through no wire, for faults and preparations. */
function admin(system: System): pg.Pool {
  const pool = new pg.Pool({
    connectionString: system.databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 20_000,
    max: 4,
  })
  pool.on('error', () => undefined)
  return pool
}

/** Before writers change them, so that what is owed by which rule is a matter of the log alone. */
async function rulesAreRead(system: System): Promise<void> {
  type Status = { consumers: { name: string; offset: number }[] }
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(100)) {
    const status = await system.ask<Status>('/api/status').catch(() => null)
    if (status?.consumers.some(({ name, offset }) => name === 'mail' && offset > 0)) return
  }
  throw new Error('the mail consumer has read no change within 60 s')
}

async function fill(sql: pg.Pool, changes: number): Promise<void> {
  const AT_ONCE = 50_000
  for (let from = 1; from <= changes; from += AT_ONCE)
    await sql.query('INSERT INTO piles (id) SELECT generate_series($1::int, $2::int)', [
      ...[from, Math.min(changes, from + AT_ONCE - 1)],
    ])
}

async function tell(system: System, writers: Writers, say: (line: string) => void): Promise<void> {
  await readCounters(system)
  const { committed, failed } = writers.tally
  const counts = await countChanges(system.databaseUrl).catch(() => null)
  const head = await feedHead(system)
  say(
    `${committed} transactions (${failed} failed), ${counts?.committed ?? '?'} changes, ${counts?.owed ?? '?'} in the outbox, head ${head ?? 'not to be had'}`,
  )
}

async function readCounters(system: System): Promise<void> {
  await Promise.all(system.listeners.map((listener) => listener.readCounters()))
}

try {
  process.exitCode = await run(parseOptions(process.argv.slice(2)))
  // What a silenced connection still holds open is not waited for.
  setTimeout(() => process.exit(), 2_000).unref()
  await delay(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(2)
}
