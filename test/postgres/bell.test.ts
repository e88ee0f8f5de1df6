import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { afterLook, type BellState, dozing } from '../../listener/bell.ts'
import { servers, session } from '../support/database.ts'
import { Heard } from '../support/heard.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

const ORDER = "INSERT INTO orders (customer_name, product_name, amount) VALUES ('Ada', 'Bell', 1)"

describe.each(servers)('the bell on $name', (server) => {
  const db = WatchedDatabase.on(server)

  const hear = async () => Heard.by(await session(db.address.url))
  const speaker = { query: (text: string) => db.run(text) }

  test('P11 nobody rings while the listener is awake', async () => {
    const heard = await hear()
    await db.run(ORDER)
    await db.run(`BEGIN; ${ORDER}; UPDATE orders SET amount = 2; DELETE FROM orders; COMMIT`)
    expect(await heard.rings(speaker)).toBe(0)
  })

  test('P11 each transaction rings once while it sleeps, however much it writes', async () => {
    const heard = await hear()
    await db.reader.setAsleep()
    await db.run(ORDER)
    expect(await heard.rings(speaker)).toBe(1)
    await db.run(`BEGIN; ${ORDER}; ${ORDER}; UPDATE orders SET amount = 9; COMMIT`)
    expect(await heard.rings(speaker)).toBe(1)
    await db.run(ORDER)
    await db.run(ORDER)
    expect(await heard.rings(speaker)).toBe(2)
  })

  test.each([
    ['an insert', ORDER],
    ['an update', 'UPDATE orders SET amount = amount + 1'],
    [
      'an insert that becomes an update',
      "INSERT INTO pots VALUES (1, 'b') ON CONFLICT (id) DO UPDATE SET name = 'b'",
    ],
    [
      'a MERGE',
      "MERGE INTO pots USING (VALUES (1)) AS v (id) ON pots.id = v.id WHEN MATCHED THEN UPDATE SET name = 'c'",
    ],
    ['a data-modifying CTE', 'WITH gone AS (DELETE FROM pots RETURNING id) SELECT * FROM gone'],
    ['a foreign key’s cascade', 'DELETE FROM kitchens'],
    ['a truncation', 'TRUNCATE pots'],
    ['a write through the parent of a table', 'UPDATE parents SET id = id + 100'],
    ['a write straight into a partition', 'INSERT INTO months_1 VALUES (1)'],
    ['a write into a partition that came later', 'INSERT INTO months_2 VALUES (11)'],
    ['a write through the parent of a watched partition', 'INSERT INTO weeks VALUES (1)'],
  ])('P12 %s wakes the sleeper', async (_, statement) => {
    await db.run(`
      DROP TABLE IF EXISTS spoons, pots, kitchens, children, parents, months, weeks CASCADE;
      CREATE TABLE kitchens (id int PRIMARY KEY); INSERT INTO kitchens VALUES (1);
      CREATE TABLE pots (id int PRIMARY KEY, name text); INSERT INTO pots VALUES (1, 'a');
      CREATE TABLE spoons (id int PRIMARY KEY, kitchen int REFERENCES kitchens ON DELETE CASCADE);
      INSERT INTO spoons VALUES (1, 1);
      CREATE TABLE parents (id int PRIMARY KEY);
      CREATE TABLE children (PRIMARY KEY (id)) INHERITS (parents); INSERT INTO children VALUES (1);
      CREATE TABLE months (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM (0) TO (10);
      CREATE TABLE weeks (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE weeks_1 PARTITION OF weeks FOR VALUES FROM (0) TO (10);
      SELECT belfry.watch(t::regclass) FROM unnest('{pots,spoons,children,months,weeks_1}'::text[]) AS t;
      CREATE TABLE months_2 PARTITION OF months FOR VALUES FROM (10) TO (20);
      ${ORDER}`)
    await db.changes()
    const heard = await hear()
    await db.reader.setAsleep()
    await db.run(statement)
    expect(await db.changes()).not.toEqual([])
    expect(await heard.rings(speaker)).toBe(1)
  })

  test('P12 a ring is heard once the change can be read, not before', async () => {
    const heard = await hear()
    await db.reader.setAsleep()
    const writer = await session(db.address.url)
    await writer.query(`BEGIN; ${ORDER}`)
    expect(await heard.rings(speaker)).toBe(0)
    await writer.query('COMMIT')
    await heard.next()
    expect(await db.changes()).toHaveLength(1)
  })

  test('P12 a writer sees the bell as it is now, whatever its snapshot', async () => {
    const heard = await hear()
    const writer = await session(db.address.url)
    await writer.query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM orders')
    await db.reader.setAsleep()
    await writer.query(`${ORDER}; COMMIT`)
    expect(await heard.rings(speaker)).toBe(1)
    await db.changes()

    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders')
    await db.reader.setAwake()
    await writer.query(`${ORDER}; COMMIT`)
    expect(await heard.rings(speaker)).toBe(0)
  })

  test('P12 a statement that begins before the sleep and writes during it rings', async () => {
    const [gate, writer] = [await session(db.address.url), await session(db.address.url)]
    await gate.query('SELECT pg_advisory_lock(7)')
    const statement = writer.query(`INSERT INTO orders (customer_name, product_name, amount)
                                    SELECT 'Ada', 'Bell', 1 FROM pg_advisory_xact_lock(7)`)
    await db.untilBlocked()
    // It has written nothing, so no barrier waits for it.
    await fallAsleep(dozing(await db.reader.setAsleep(), 0))
    const heard = await hear()
    await gate.query('SELECT pg_advisory_unlock(7)')
    await statement
    expect(await heard.rings(speaker)).toBe(1)
  })

  test('P12 a rollback takes back neither the sleep nor the waking', async () => {
    const heard = await hear()
    await db.run("BEGIN; SELECT setval('belfry.bell', 2); ROLLBACK")
    await db.run(ORDER)
    expect(await heard.rings(speaker)).toBe(1)
  })

  test('P12 the mark is above every transaction that could have seen "awake"', async () => {
    const writers = await openWriters(3)
    const mark = await db.reader.setAsleep()
    for (const { xid } of writers) expect(mark).toBeGreaterThan(xid)
    for (const { client } of writers) await client.query('ROLLBACK')
  })

  test('P12 no sleep before the last silent writer has ended, in whatever order they end', async () => {
    // Both have read "awake", and neither will ring. The one with the lower id ends first: now one
    // past the newest id that has ended *is* the other, which is still under way.
    const [lower, higher] = await openWriters(2)
    if (!lower || !higher) throw new Error('two writers are open')
    expect(lower.xid).toBeLessThan(higher.xid)
    await lower.client.query('COMMIT')
    const heard = await hear()
    let state = dozing(await db.reader.setAsleep(), 0)
    state = await look(state, 1)
    state = await look(state, 0)
    state = await look(state, 0)
    expect(state.mode).toBe('dozing')

    await higher.client.query('COMMIT')
    expect(await heard.rings(speaker)).toBe(0)
    await fallAsleep(await look(state, 1))
  })

  test('P12 a writer that only begins after the bell was set does not keep the listener up', async () => {
    const state = dozing(await db.reader.setAsleep(), 0)
    const [late] = await openWriters(1)
    await fallAsleep(state)
    const heard = await hear()
    await late?.client.query('COMMIT')
    expect(await heard.rings(speaker)).toBe(1)
  })

  test('P12 a writer that wrote inside a savepoint keeps the listener up too', async () => {
    const writer = await session(db.address.url)
    await writer.query(`BEGIN; SAVEPOINT s; ${ORDER}`)
    let state = dozing(await db.reader.setAsleep(), 0)
    await writer.query('RELEASE s')
    state = await look(state, 0)
    expect(state.mode).toBe('dozing')
    await writer.query('COMMIT')
    state = await look(state, 1)
    await fallAsleep(state)
  })

  test('P12 a prepared transaction keeps the listener up until it is decided', async () => {
    await db.run(`BEGIN; ${ORDER}; PREPARE TRANSACTION 'undecided ${db.address.name}'`)
    let state = await look(dozing(await db.reader.setAsleep(), 0), 0)
    expect(state.mode).toBe('dozing')
    await db.run(`COMMIT PREPARED 'undecided ${db.address.name}'`)
    state = await look(state, 1)
    await fallAsleep(state)
  })

  test('P12 to prepare a transaction is refused during the sleep, for Postgres prepares no ring', async () => {
    const writer = await session(db.address.url)
    await db.reader.setAsleep()
    await writer.query(`BEGIN; ${ORDER}`)
    await expect(writer.query("PREPARE TRANSACTION 'refused'")).rejects.toThrow(/cannot PREPARE/)
    expect(await db.changes()).toEqual([])
  })

  /** One look of the listener, as leader.ts does it, which must find so many rows. */
  async function look(state: BellState, expected: number): Promise<BellState> {
    const { owed, more, oldestRunning } = await db.reader.look([])
    expect(owed).toHaveLength(expected)
    await db.reader.forget(owed.map(({ id }) => id))
    return afterLook(state, { now: 0, rows: owed.length, more, rings: 0, oldestRunning }).state
  }

  /** Writers of other databases of this server, in other tests, count too: they soon end. */
  async function fallAsleep(dozing: BellState): Promise<void> {
    let state = dozing
    const mode = async () => {
      state = await look(state, 0)
      return state.mode
    }
    await expect.poll(mode, { interval: 10, timeout: 20_000 }).toBe('asleep')
  }

  /** Transactions that have each written a watched row, and have yet to commit. */
  async function openWriters(count: number): Promise<{ client: pg.Client; xid: bigint }[]> {
    const writers: { client: pg.Client; xid: bigint }[] = []
    for (let n = 0; n < count; n++) {
      const client = await session(db.address.url)
      await client.query(`BEGIN; ${ORDER}`)
      const { rows } = await client.query<{ xid: string }>(
        'SELECT pg_current_xact_id()::text AS xid',
      )
      writers.push({ client, xid: BigInt(rows[0]?.xid ?? 0) })
    }
    return writers
  }
})
