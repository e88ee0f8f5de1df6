import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../drizzle/migrate.ts'
import { Database } from '../../listener/database.ts'
import { connect, createDatabase, once, servers, session } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const DENIED = '42501'
const ORDER = "INSERT INTO orders (customer_name, product_name, amount) VALUES ('Ada', 'Bell', 1)"
const KEY = `INSERT INTO belfry.api_keys (name, hash, hint, scopes, created_by)
             VALUES ('till', sha256('a key'), 'belfry_a', '{orders:read}', 'operator')`

/** What neither may, whatever it has got hold of. */
const DENIED_TO_BOTH = [
  'UPDATE belfry.outbox SET new = old',
  "INSERT INTO belfry.outbox (\"table\", key_columns, op) VALUES ('orders', '{id}', 'truncate')",
  'TRUNCATE belfry.outbox',
  'UPDATE belfry.audit SET principal = principal',
  'DELETE FROM belfry.audit',
  "INSERT INTO belfry.audit (request, principal, action, \"table\", key) VALUES ('r', 'p', 'a', 't', 'k')",
  'SELECT hash FROM belfry.api_keys',
  'SELECT * FROM belfry.api_keys',
  'DELETE FROM belfry.api_keys',
  'SELECT * FROM belfry.idempotency_keys',
  'DELETE FROM belfry.idempotency_keys',
  'UPDATE belfry.identity SET source = gen_random_uuid()',
  'UPDATE belfry.watched SET "table" = "table"',
  'DELETE FROM belfry.watched',
  "SELECT belfry.watch('orders')",
  "SELECT belfry.unwatch('orders')",
  'SELECT belfry.grant_rights()',
  "SELECT belfry.plan_again(1, 'general')",
  'DELETE FROM revocations',
  "INSERT INTO revocations (principal) VALUES ('key:1')",
  "UPDATE revocations SET since = 'epoch'",
  'TRUNCATE orders',
  'ALTER TABLE orders ADD COLUMN mine text',
  'ALTER TABLE orders DISABLE TRIGGER "!belfry_capture"',
  'DROP TRIGGER belfry_audit ON orders',
  'CREATE TABLE public.mine (id int)',
  'CREATE TABLE belfry.mine (id int)',
  'CREATE SCHEMA mine',
  "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  'SELECT * FROM private.things',
  'SELECT * FROM things',
  'SELECT * FROM drizzle.__drizzle_migrations',
  'CREATE ROLE mine',
  'ALTER TABLE orders OWNER TO CURRENT_USER',
  "COPY (SELECT 1) TO PROGRAM 'true'",
  "SELECT pg_read_file('PG_VERSION')",
]

const DENIED_TO_WORKER = [
  'SELECT backend_pid FROM belfry.terms',
  'UPDATE belfry.terms SET term = term',
  'DELETE FROM belfry.terms',
  "SELECT setval('belfry.bell', 2)",
  'INSERT INTO belfry.canary (beat) VALUES (1)',
  "UPDATE belfry.api_keys SET scopes = '{admin}'",
  'UPDATE belfry.api_keys SET expires_at = NULL',
  "SELECT setval('belfry.audit_id_seq', 1)",
]

const DENIED_TO_LISTENER = [
  ...['orders', 'users', 'preferences', 'notifications', 'notification_categories'],
  ...['rules', 'webhook_endpoints', 'revocations'],
]
  .flatMap((table) => [`SELECT FROM ${table}`, `DELETE FROM ${table}`])
  .concat([
    ORDER,
    KEY,
    'SELECT id FROM belfry.api_keys',
    'SELECT * FROM belfry.audit',
    'SELECT * FROM belfry.watched',
    'UPDATE belfry.terms SET term = term',
    'SELECT belfry.keyring()',
    "SELECT belfry.act('operator', 'r')",
    "SELECT belfry.revoke('key:1', 'mine')",
    "SELECT belfry.notify(NULL, '{}')",
    'SELECT belfry.deliver_due(1, 1)',
    "SELECT setval('users_id_seq', 1)",
  ])

/** Said to people, or of triggers; and what other functions call. */
const NAMED_ONLY = ['capture', 'grant_rights', 'watch']
const CALLED_WITHIN = ['count_before', 'is_marked', 'key_of', 'next_due_ms']

describe.each(servers)('P105 the roles on $name', (server) => {
  const db = WatchedDatabase.on(server)
  let worker: pg.Client
  let listener: pg.Client

  beforeAll(async () => {
    await db.run(`CREATE SCHEMA private; CREATE TABLE private.things (id int PRIMARY KEY);
                  CREATE TABLE things (id int PRIMARY KEY)`)
    worker = await connect(db.address.workerUrl)
    listener = await connect(db.address.listenerUrl)
    return () => Promise.all([worker.end(), listener.end()])
  })

  test.each([...DENIED_TO_BOTH, ...DENIED_TO_WORKER])('the worker may not: %s', (statement) =>
    denied(worker, statement),
  )

  test.each([...DENIED_TO_BOTH, ...DENIED_TO_LISTENER])('the listener may not: %s', (statement) =>
    denied(listener, statement),
  )

  test.each(['worker', 'listener'])('the %s may run the functions that it names', async (part) => {
    const named = globSync(`${project}/${part}/**/*.ts`).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bbelfry\.([a-z_]+)\(/g)].map(([, name]) => name),
    )
    const granted = await db.run<{ object: string }>(
      "SELECT object FROM belfry.rights() WHERE kind = 'function' AND role = $1",
      [`belfry_${part}`],
    )
    const direct = granted
      .map(({ object }) => object)
      .filter((each) => !CALLED_WITHIN.includes(each))
    const called = new Set(named.filter((each) => !NAMED_ONLY.includes(String(each))))
    expect(direct.toSorted()).toEqual([...called].toSorted())
  })

  test('a function with its owner’s rights looks nowhere but where it says', async () => {
    const astray = await db.run(`SELECT oid::regprocedure::text FROM pg_proc
      WHERE pronamespace = 'belfry'::regnamespace AND prosecdef
        AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))`)
    expect(astray).toEqual([])
  })

  test('the worker makes a key and revokes it, and knows it by its hash while it is good', async () => {
    const { rows } = await worker.query(`${KEY} RETURNING id, name, hint`)
    const ring = 'SELECT belfry.keyring() AS ring'
    const { id } = rows[0]
    expect((await worker.query(ring)).rows[0].ring.keys).toMatchObject([{ id: Number(id) }])
    await worker.query('UPDATE belfry.api_keys SET last_used_at = now() WHERE id = $1', [id])
    await worker.query('UPDATE belfry.api_keys SET revoked_at = now() WHERE id = $1', [id])
    expect((await worker.query(ring)).rows[0].ring).toMatchObject({
      keys: [],
      revoked: { [`key:${id}`]: expect.any(Number) },
    })
  })

  test('what the worker writes is audited, and what it is told is kept for the same key', async () => {
    await worker.query('BEGIN')
    await worker.query("SELECT belfry.act('operator', 'a request', 'a key', 'a hash')")
    await worker.query(ORDER)
    await worker.query('COMMIT')
    const audit = 'SELECT principal, role, action FROM belfry.audit WHERE request = $1'
    expect((await worker.query(audit, ['a request'])).rows).toEqual([
      { principal: 'operator', role: 'worker_login', action: 'insert' },
    ])
    const again = worker.query("SELECT belfry.act('operator', 'again', 'a key', 'a hash')")
    await expect(again).rejects.toMatchObject({ code: 'BF200' })
    const notified = await worker.query(`SELECT belfry.notify('{}', '{"title": "Hello"}')`)
    expect(notified.rows[0].notify).toMatchObject({ outcome: 'created', notifications: 0 })
  })

  test('the worker reads the rows of what is watched, for as long as it is', async () => {
    await db.run(`CREATE SCHEMA "Depot"; CREATE TABLE "Depot".boxes (id int PRIMARY KEY);
                  SELECT belfry.watch('"Depot".boxes')`)
    const read = 'SELECT FROM "Depot".boxes'
    await worker.query(read)
    await expect(listener.query(read)).rejects.toMatchObject({ code: DENIED })
    await db.run(`SELECT belfry.unwatch('"Depot".boxes')`)
    await expect(worker.query(read)).rejects.toMatchObject({ code: DENIED })
  })

  test('of Belfry’s own tables that are watched no more, and again, the worker keeps its rights', async () => {
    await db.run(`SELECT belfry.unwatch('rules')`)
    await worker.query('UPDATE rules SET enabled = enabled')
    await db.run(`SELECT belfry.watch('rules')`)
    await worker.query('SELECT FROM rules')
  })

  test('a table is watched by whoever may not give its rows away, and the notice says how', async () => {
    const notices: string[] = []
    const owner = await session(db.address.url)
    owner.on('notice', ({ message = '', hint }) => notices.push(`${message}; ${hint}`))
    await once(
      db.address.adminUrl,
      `CREATE TABLE lent (id int PRIMARY KEY); GRANT ALL ON lent TO app`,
    )
    await owner.query("SELECT belfry.watch('lent')")
    expect(notices.join()).toMatch(/its rows cannot be read.*GRANT SELECT ON lent TO belfry_worker/)
    await owner.query('INSERT INTO lent VALUES (1)')
    expect(await db.changes()).toContainEqual(expect.objectContaining({ table: 'lent' }))
  })

  test('whoever owns a partitioned table that is watched makes partitions without a right here', async () => {
    await once(
      db.address.adminUrl,
      `CREATE ROLE keeper_${db.address.name} LOGIN;
       CREATE TABLE logs (id int PRIMARY KEY) PARTITION BY RANGE (id);
       SELECT belfry.watch('logs');
       ALTER TABLE logs OWNER TO keeper_${db.address.name}; GRANT CREATE ON SCHEMA public TO keeper_${db.address.name}`,
    )
    const keeper = await session(
      db.address.adminUrl.replace('postgres@', `keeper_${db.address.name}@`),
    )
    await keeper.query('CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (10)')
    await db.changes()
    await keeper.query('INSERT INTO logs VALUES (1)')
    expect(await db.changes()).toMatchObject([{ table: 'logs', op: 'insert' }])
  })

  test('whoever may write users changes their wishes without a right on what is planned by them', async () => {
    await db.run(`INSERT INTO users (id, name) VALUES (7, 'Ada');
                  INSERT INTO notifications (user_id, title, scheduled_at) VALUES (7, 'later', now() + interval '1 day')`)
    const clerk = `clerk_${db.address.name}`
    await once(
      db.address.adminUrl,
      `CREATE ROLE ${clerk} LOGIN; GRANT UPDATE, SELECT ON users TO ${clerk}`,
    )
    const sql = await session(db.address.adminUrl.replace('postgres@', `${clerk}@`))
    await sql.query('UPDATE users SET can_receive_notifications = false WHERE id = 7')
    expect(await db.run('SELECT state FROM notifications')).toEqual([{ state: 'declined' }])
  })

  test('the rights are made so again, and what others gave is taken back', async () => {
    await db.run(`GRANT DELETE ON belfry.audit TO belfry_worker; GRANT SELECT ON users TO belfry_listener;
                  REVOKE INSERT ON orders FROM belfry_worker; GRANT EXECUTE ON FUNCTION belfry.keyring() TO PUBLIC`)
    await db.run('SELECT belfry.grant_rights()')
    await denied(worker, 'DELETE FROM belfry.audit')
    await denied(listener, 'SELECT FROM users')
    await denied(listener, 'SELECT belfry.keyring()')
    await worker.query(ORDER)
  })

  test('P13 a second login of the listener’s ends a leader of the first that has frozen', async () => {
    const next = `next_${db.address.name}`
    await once(
      db.address.adminUrl,
      `CREATE ROLE ${next} LOGIN IN ROLE belfry_listener; GRANT listener_login TO ${next}`,
    )
    const [frozen, standby] = await Promise.all([
      Database.connect(db.address.listenerUrl),
      Database.connect(db.address.adminUrl.replace('postgres@', `${next}@`)),
    ])
    expect(await frozen.tryLock()).toBe(true)
    await frozen.takeTerm('frozen', 0)
    expect(await standby.endStaleLeader('standby', 3_600_000)).toBeNull()
    expect(await standby.endStaleLeader('standby', 0)).toBe('frozen')
    await Promise.all([frozen.close(), standby.close()])
  })

  test('a role that two databases make at once is there for both', async () => {
    const { adminUrl } = await createDatabase(server)
    const [one, other] = [await session(db.address.adminUrl), await session(adminUrl)]
    const make = `SELECT belfry.make_role('shared_${db.address.name}') AS made`
    await one.query('BEGIN')
    await one.query(make)
    const waiting = other.query(make)
    await one.query('COMMIT')
    expect((await waiting).rows).toEqual([{ made: true }])
  })

  test('an owner who may not make roles is told what to do, and all else goes on', async () => {
    const { url, adminUrl } = await createDatabase(server)
    const admin = await session(adminUrl)
    const told: string[] = []
    admin.on('notice', ({ message, hint }) => told.push(`${message} ${hint}`))
    // As on a server where nobody has made them: for this transaction they are called otherwise.
    await admin.query(`BEGIN; ALTER ROLE belfry_worker RENAME TO away_worker; ALTER ROLE belfry_listener RENAME TO away_listener;
                       SET LOCAL SESSION AUTHORIZATION app`)
    await admin.query('SELECT belfry.grant_rights()')
    await admin.query('ROLLBACK')
    expect(told).toEqual([
      expect.stringMatching(
        /no role belfry_worker.*CREATE ROLE belfry_worker NOLOGIN; then, as app/,
      ),
      expect.stringMatching(/no role belfry_listener.*SELECT belfry\.grant_rights\(\)/),
    ])
    expect(await migrate(url)).toMatchObject({ applied: 0, told: [] })
  })
})

async function denied(role: pg.Client, statement: string): Promise<void> {
  await expect(role.query(statement)).rejects.toMatchObject({ code: DENIED })
}
