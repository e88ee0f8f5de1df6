import { createServer } from 'node:http'
import { describe, expect, type TestContext, test } from 'vitest'
import { migrate } from '../../drizzle/migrate.ts'
import { createDatabase, newestServer, once, session } from '../support/database.ts'
import { ListenerProcess, type ListenerSettings } from '../support/listener-process.ts'
import { pgbouncer, startPgbouncer } from '../support/pgbouncer.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { ORDER } from '../support/way.ts'

/** Nobody is there: what is tested here comes before the link. */
const NO_FEED = 'http://127.0.0.1:9'
const NO_DATABASE = 'postgres://app:app@127.0.0.1:9/nothing'

const listen = ({ onTestFinished }: TestContext, settings: Partial<ListenerSettings>) =>
  ListenerProcess.start({ databaseUrl: NO_DATABASE, feedUrl: NO_FEED, ...settings }, onTestFinished)

describe.concurrent('what the listener is told to do', () => {
  test.for<[env: { [name: string]: string }, sentence: RegExp]>([
    [{ DATABASE_URL: '' }, /^Set DATABASE_URL to the direct address of the database\.$/],
    [{ DATABASE_URL: 'localhost' }, /^DATABASE_URL is not an address/],
    [{ FEED_URL: '' }, /^Set FEED_URL to the address of the worker, such as https:/],
    [{ FEED_URL: 'belfry.example.com' }, /^Set FEED_URL to the address of the worker/],
    [{ LINK_SECRET: '' }, /^Set LINK_SECRET to the same secret as the worker has\.$/],
  ])('with %j it exits 1 and says what to set', async ([env, sentence], context) => {
    const listener = await listen(context, { env })
    expect(await listener.exited).toBe(1)
    expect(listener.lines).toEqual([expect.stringMatching(sentence)])
  })

  test('with a busy port it exits 1 and says what to set', async (context) => {
    const server = createServer().listen(0)
    context.onTestFinished(() => void server.close())
    const address = server.address()
    const PORT = String(typeof address === 'object' ? address?.port : 0)
    const listener = await listen(context, { env: { PORT } })
    expect(await listener.exited).toBe(1)
    expect(listener.lines).toEqual([
      expect.stringMatching(/^Cannot serve health on port \d+ \(.*\)\. Set PORT to a free one\.$/),
    ])
  })

  test('without a server it says so, is unwell, and goes on trying', async (context) => {
    const listener = await listen(context, {})
    await listener.said(/^Postgres does not answer at DATABASE_URL; beginning again in \d+ ms$/)
    expect(await listener.health()).toEqual({
      status: 503,
      body: {
        ok: false,
        role: 'connecting',
        since: expect.stringMatching(/^\d{4}-/),
        error: 'Postgres does not answer at DATABASE_URL',
      },
    })
    await listener.reaches('belfry_reconnects_total', 3)
    expect(await listener.stop()).toBe(0)
  })

  test('with a database that is not there it says what the server says', async (context) => {
    const databaseUrl = (await createDatabase(newestServer)).url.replace(/test_\w+$/, 'missing')
    await (await listen(context, { databaseUrl })).said(
      /^database "missing" does not exist; beginning/,
    )
  })

  test('without Belfry’s schema it says how to make it, and goes on once it is there', async (context) => {
    const { url } = await createDatabase(newestServer, { migrated: false })
    const listener = await listen(context, { databaseUrl: url })
    await listener.said(
      /^this database has no belfry schema: run "npm run migrate" with its DATABASE_URL; beginning/,
    )
    await migrate(url)
    await listener.said(/leading with term 1/)
  })

  test('P105 with a login that is not in its role it says how to put it there', async (context) => {
    const { workerUrl } = await createDatabase(newestServer)
    await (await listen(context, { databaseUrl: workerUrl })).said(
      /^permission denied for table terms: put this login in the role belfry_listener, .*grant_rights\(\); beginning/,
    )
  })

  test('it answers only what it serves', async (context) => {
    const listener = await listen(context, {})
    await listener.said(/beginning again/)
    const metrics = await fetch(`${listener.healthUrl}/metrics`)
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await metrics.text()).toMatch(/^# TYPE belfry_leader gauge$/m)
    const other = await fetch(`${listener.healthUrl}/nothing`)
    expect([other.status, await other.text()]).toEqual([404, 'Here are /healthz and /metrics.\n'])
  })

  test('P14 where LISTEN is refused it polls, and says so', async (context) => {
    const { url, adminUrl } = await createDatabase(newestServer)
    const { proxy, url: refusing } = await TcpProxy.before(url)
    context.onTestFinished(() => proxy.close())
    proxy.onData = (chunk, direction) => (direction === 'to target' ? withoutListen(chunk) : chunk)
    const listener = await listen(context, { databaseUrl: refusing })
    await listener.said(/^LISTEN is not to be had here: looking at the outbox four times a second/)
    expect(await listener.health()).toMatchObject({ body: { role: 'leader', bell: 'polling' } })
    const looks = await listener.metric('belfry_looks_total')
    await listener.reaches('belfry_looks_total', looks + 3, 5_000)
    // Nobody could hear a ring, so nobody is asked to.
    const sql = await session(url, context.onTestFinished)
    await sql.query(ORDER)
    const bell = await once(adminUrl, 'SELECT last_value::int AS is FROM belfry.bell')
    expect(bell).toEqual([{ is: 1 }])
    expect(await listener.metric('belfry_rings_total')).toBe(0)
  })
})

describe.concurrent.each(pgbouncer === null ? [] : [pgbouncer])('behind %s', (binary) => {
  test.for([20, 1])(
    'P14 a pooler that shares its sessions is refused, with a pool of %i',
    async (poolSize, context) => {
      const { url } = await createDatabase(newestServer)
      const pooled = await startPgbouncer(
        binary,
        url,
        { poolMode: 'transaction', poolSize },
        context.onTestFinished,
      )
      const listener = await listen(context, { databaseUrl: pooled })
      expect(await listener.exited).toBe(1)
      expect(listener.lines).toEqual([
        expect.stringMatching(/^DATABASE_URL leads to a pooler .* Set it to the direct address/),
      ])
      expect(await once(url, 'SELECT FROM belfry.terms')).toEqual([])
    },
  )

  test('P14 a pooler that gives each client a session of its own is taken', async (context) => {
    const { url } = await createDatabase(newestServer)
    const pooled = await startPgbouncer(
      binary,
      url,
      { poolMode: 'session', poolSize: 20 },
      context.onTestFinished,
    )
    const listener = await listen(context, { databaseUrl: pooled })
    await listener.said(/leading with term 1/)
    await listener.reaches('belfry_asleep', 1)
    expect(await listener.health()).toMatchObject({ body: { bell: 'asleep' } })
  })
})

/** Has the server refuse the LISTEN in what a client sends, as one that does not offer it would. */
function withoutListen(chunk: Buffer): Buffer {
  const asked = query('LISTEN belfry')
  const at = chunk.indexOf(asked)
  if (at < 0) return chunk
  const refusal = query(
    "DO $$BEGIN RAISE 'LISTEN is not supported' USING ERRCODE = 'feature_not_supported'; END$$",
  )
  return Buffer.concat([chunk.subarray(0, at), refusal, chunk.subarray(at + asked.length)])
}

/** The message that carries one simple query. */
function query(text: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + Buffer.byteLength(text) + 1)
  return Buffer.concat([Buffer.from('Q'), length, Buffer.from(`${text}\0`)])
}
