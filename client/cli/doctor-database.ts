import type pg from 'pg'
import { CANARY_TABLE } from '../../protocol/canary.ts'
import { databaseAddress } from './address.ts'
import { openDatabase, placeOf } from './database.ts'
import { examine, type Finding, failed, fine, skip, type Verdict, warning } from './finding.ts'
import type { Terminal } from './terminal.ts'

/*
 * Law. The doctor changes nothing: it reads, and rings the bell once (a needless
 * ring harms nobody).
 */

const QUERY_TIMEOUT_MS = 5_000
const RING_TIMEOUT_MS = 3_000
const CHANNEL = 'belfry'
const OLDEST_VERSION = 15
const NEWEST_VERSION = 18
const TRIGGERS = ['!belfry_capture', '!belfry_capture_truncate', '~belfry_ring']
/** The listener looks at least every 5 s by itself. */
const WAITS_TOO_LONG_MS = 15_000

/** From the address to the bell: what the listener needs of the database. */
export async function* examineDatabase(terminal: Terminal): AsyncGenerator<Finding> {
  let client: pg.Client | null = null
  let second: pg.Client | null = null
  const open = () => openDatabase(databaseAddress(terminal), { query_timeout: QUERY_TIMEOUT_MS })
  try {
    yield await examine('database', async () => {
      client = await open()
      second = await open()
      await client.query('select 1')
      return fine(`${placeOf(client)} answers`)
    })
    if (client === null || second === null)
      return yield* skip(
        ['direct address', 'version', 'migrations', 'triggers', 'outbox', 'bell'],
        'the database cannot be reached',
      )
    const [a, b]: [pg.Client, pg.Client] = [client, second]
    const direct = await examine('direct address', () => examineSession(a, b))
    yield direct
    yield await examine('version', () => examineVersion(a))
    const migrated = await examine('migrations', () => examineMigrations(a))
    yield migrated
    if (migrated.result === 'failed')
      yield* skip(['triggers', 'outbox'], 'there is no schema belfry')
    else {
      yield await examine('triggers', () => examineTriggers(a))
      yield await examine('outbox', () => examineOutbox(a))
    }
    if (direct.result === 'failed') yield* skip(['bell'], 'a pooler has no LISTEN')
    else yield await examine('bell', () => ring(a, b))
  } finally {
    for (const opened of [client, second] as (pg.Client | null)[])
      await opened?.end().catch(() => undefined)
  }
}

/**
 * A pooler that shares sessions gives them back after each transaction. So while
 * `b` sits in a transaction, `a` may find itself in another session than before.
 */
async function examineSession(a: pg.Client, b: pg.Client): Promise<Verdict> {
  const neon = /^([^.]+)-pooler(\..*\.neon\.tech)$/.exec(a.host)
  if (neon)
    return failed(
      `${a.host} is Neon's pooler, which has no LISTEN and no session locks`,
      `Set DATABASE_URL to the direct host, ${neon[1]}${neon[2]}.`,
    )
  const advice =
    'Set DATABASE_URL to the direct address of the database: often the same host with port 5432; with pgbouncer, the server behind it.'
  try {
    const before = await sessionOf(a)
    await b.query('begin')
    await b.query('select 1')
    const after = await sessionOf(a).finally(() => b.query('rollback'))
    if (before !== after)
      return failed('a pooler that shares sessions between transactions', advice)
  } catch (error) {
    return failed(`a session of our own could not be had (${String(error)})`, advice)
  }
  return fine('direct: the session stays ours')
}

async function sessionOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid
}

async function examineVersion(client: pg.Client): Promise<Verdict> {
  const { rows } = await client.query<{ version: string; number: string }>(
    "select current_setting('server_version') as version, current_setting('server_version_num') as number",
  )
  const { version = '?', number = '0' } = rows[0] ?? {}
  const major = Math.floor(Number(number) / 10_000)
  const tried = `Belfry is made for ${OLDEST_VERSION} to ${NEWEST_VERSION}`
  if (major < OLDEST_VERSION)
    return failed(`PostgreSQL ${version} is too old`, `${tried}: upgrade the server.`)
  return major > NEWEST_VERSION
    ? warning(`PostgreSQL ${version} is newer than we know`, `${tried}: look for a newer Belfry.`)
    : fine(`PostgreSQL ${version}`)
}

async function examineMigrations(client: pg.Client): Promise<Verdict> {
  const { rows } = await client.query<{ missing: string | null; source: string | null }>(`
    select string_agg(name, ', ') filter (where found is null) as missing
      from (select name, to_regclass(name)::text as found
              from unnest(array['belfry.identity', 'belfry.outbox', 'belfry.bell', 'belfry.terms',
                                'belfry.watched', 'belfry.canary', 'rules', 'webhook_endpoints',
                                'users', 'preferences']) as name
            union all
            select 'belfry.peek', to_regprocedure('belfry.peek(integer, integer, integer, bigint[])')::text
            union all
            select 'belfry.watch', to_regprocedure('belfry.watch(regclass)')::text) as wanted`)
  const missing = rows[0]?.missing
  return missing
    ? failed(`missing: ${missing}`, 'Migrate: `npm run migrate` with DATABASE_URL set.')
    : fine('the tables are in place')
}

/** Tables of Belfry's own whose changes must come through the feed. */
const NEEDED = ['rules', 'webhook_endpoints']

async function examineTriggers(client: pg.Client): Promise<Verdict> {
  const { rows } = await client.query<{ name: string; relation: string; triggers: string[] }>(`
    select w."table" as name, w.relation::text as relation,
           array(select t.tgname::text from pg_trigger t
                  where t.tgrelid = w.relation and t.tgenabled in ('O', 'A')) as triggers
      from (select "table", relation from belfry.watched
            union all select '${CANARY_TABLE}', '${CANARY_TABLE}'::regclass) w
     order by 1`)
  const watched = rows.filter(({ name }) => name !== CANARY_TABLE)
  if (watched.length === 0)
    return failed('no table is watched', 'Watch one: belfry sql "select belfry.watch(\'orders\')"')
  const unheard = NEEDED.find((name) => watched.every((table) => table.name !== name))
  if (unheard)
    return failed(
      `${unheard} is not watched, so what is changed there does not come into force`,
      `Watch it: belfry sql "select belfry.watch('${unheard}')"`,
    )
  const broken = rows.find(({ triggers }) => TRIGGERS.some((name) => !triggers.includes(name)))
  if (!broken) return fine(`on ${watched.map(({ name }) => name).join(', ')}`)
  const missing = TRIGGERS.filter((name) => !broken.triggers.includes(name))
  return failed(
    `${broken.name} lacks ${missing.join(', ')}, or they are disabled`,
    adviceFor(broken),
  )
}

function adviceFor({ name, relation }: { name: string; relation: string }): string {
  if (name === CANARY_TABLE)
    return `Enable them: belfry sql "alter table ${CANARY_TABLE} enable trigger all". If they were dropped, create them as drizzle/migrations/0005_canary.sql does.`
  return /^\d+$/.test(relation)
    ? 'The table was dropped: any belfry.watch(…) forgets it.'
    : `Put them back: belfry sql "select belfry.watch('${relation}')"`
}

async function examineOutbox(client: pg.Client): Promise<Verdict> {
  const { rows } = await client.query<{ waiting: string; age_ms: number | null }>(`
    select (select count(*) from (select from belfry.outbox limit 10000) as counted) as waiting,
           (select extract(epoch from clock_timestamp() - at)::double precision * 1000
              from belfry.outbox order by id limit 1) as age_ms`)
  const { waiting = '0', age_ms: ageMs = null } = rows[0] ?? {}
  if (ageMs === null) return fine('empty: nothing is owed to the feed')
  const many = waiting === '10000' ? '10000 changes or more' : `${waiting} changes`
  const said = `${many} wait, the oldest for ${(ageMs / 1000).toFixed(1)} s`
  return ageMs < WAITS_TOO_LONG_MS
    ? fine(said)
    : failed(said, 'Nobody drains it: see what is said of the link below, and the listener’s log.')
}

async function ring(hearer: pg.Client, ringer: pg.Client): Promise<Verdict> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const deadline = setTimeout(() => reject(new Error('late')), RING_TIMEOUT_MS)
  const hear = () => resolve()
  try {
    hearer.on('notification', hear)
    await hearer.query(`listen ${CHANNEL}`)
    const began = performance.now()
    await ringer.query(`notify ${CHANNEL}`)
    await promise
    return fine(`heard ${(performance.now() - began).toFixed(1)} ms after it was rung`)
  } catch (error) {
    const why = String(error) === 'Error: late' ? `not heard in ${RING_TIMEOUT_MS / 1000} s` : error
    return failed(
      `${why}`,
      'Set DATABASE_URL to the direct address, not to a pooler; the listener polls until then.',
    )
  } finally {
    clearTimeout(deadline)
    hearer.off('notification', hear)
  }
}
