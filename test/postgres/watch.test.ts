import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('belfry.watch on $name', (server) => {
  const db = WatchedDatabase.on(server)

  const watch = (relation: string) => db.run('SELECT belfry.watch($1::regclass)', [relation])
  const refusal = (relation: string) =>
    watch(relation).then(
      () => null,
      ({ message, hint }: pg.DatabaseError) => ({ message, hint }),
    )

  test('P4 it answers with the name that the table has in the feed', async () => {
    await db.run(`CREATE SCHEMA depot; CREATE TABLE boxes (id int PRIMARY KEY);
                  CREATE TABLE depot.boxes (id int PRIMARY KEY)`)
    expect(await watch('boxes')).toEqual([{ watch: 'boxes' }])
    expect(await watch('depot.boxes')).toEqual([{ watch: 'depot.boxes' }])
    expect(await db.run('SELECT "table", key_columns FROM belfry.watched ORDER BY 1')).toEqual([
      { table: 'boxes', key_columns: ['id'] },
      { table: 'depot.boxes', key_columns: ['id'] },
      { table: 'notifications', key_columns: ['id'] },
      { table: 'orders', key_columns: ['id'] },
      { table: 'preferences', key_columns: ['user_id', 'category', 'channel'] },
      { table: 'revocations', key_columns: ['principal'] },
      { table: 'rules', key_columns: ['id'] },
      { table: 'users', key_columns: ['id'] },
      { table: 'webhook_endpoints', key_columns: ['id'] },
    ])
  })

  test('P1 watched twice is watched once', async () => {
    await db.run('CREATE TABLE twice (id int PRIMARY KEY)')
    await watch('twice')
    await watch('twice')
    await db.run('INSERT INTO twice VALUES (1)')
    expect(await db.changes()).toHaveLength(1)
  })

  test('P1 nothing is heard of a table after unwatch, and watch begins anew', async () => {
    await db.run('CREATE TABLE quiet (id int PRIMARY KEY)')
    await watch('quiet')
    await db.run('INSERT INTO quiet VALUES (1)')
    expect(await db.run("SELECT belfry.unwatch('quiet')")).toEqual([{ unwatch: true }])
    expect(await db.run("SELECT belfry.unwatch('quiet')")).toEqual([{ unwatch: false }])
    await db.run('INSERT INTO quiet VALUES (2); TRUNCATE quiet')
    expect((await db.changes()).map(({ key }) => key)).toEqual([{ id: 1 }])
    await watch('quiet')
    await db.run('INSERT INTO quiet VALUES (3)')
    expect((await db.changes()).map(({ key }) => key)).toEqual([{ id: 3 }])
  })

  test('P4 a renamed table keeps its name in the feed until it is watched again', async () => {
    await db.run('CREATE TABLE before_it (id int PRIMARY KEY)')
    await watch('before_it')
    await db.run('ALTER TABLE before_it RENAME TO after_it; INSERT INTO after_it VALUES (1)')
    await watch('after_it')
    await db.run('INSERT INTO after_it VALUES (2)')
    expect((await db.changes()).map(({ table }) => table)).toEqual(['before_it', 'after_it'])
    expect(await db.run(`SELECT "table" FROM belfry.watched WHERE "table" LIKE '%\\_it'`)).toEqual([
      { table: 'after_it' },
    ])
  })

  test('P4 a new key counts from the next watch on', async () => {
    await db.run('CREATE TABLE rekeyed (id int PRIMARY KEY, code text)')
    await watch('rekeyed')
    await db.run('ALTER TABLE rekeyed RENAME COLUMN id TO number')
    await watch('rekeyed')
    await db.run("INSERT INTO rekeyed VALUES (1, 'a')")
    await db.run('ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey, ADD PRIMARY KEY (code, number)')
    await watch('rekeyed')
    await db.run("INSERT INTO rekeyed VALUES (2, 'b')")
    expect((await db.changes()).map(({ key }) => key)).toEqual([
      { number: 1 },
      { code: 'b', number: 2 },
    ])
  })

  test('P4 a column that is added arrives without watching again', async () => {
    await db.run('CREATE TABLE grown (id int PRIMARY KEY)')
    await watch('grown')
    await db.run("ALTER TABLE grown ADD size text DEFAULT 'm'; INSERT INTO grown VALUES (1)")
    expect((await db.changes())[0]?.new).toEqual({ id: 1, size: 'm' })
  })

  test('P4 the name of a table that was dropped can be watched again', async () => {
    await db.run('CREATE TABLE reborn (id int PRIMARY KEY)')
    await watch('reborn')
    await db.run('DROP TABLE reborn; CREATE TABLE reborn (id int PRIMARY KEY)')
    await watch('reborn')
    await db.run('INSERT INTO reborn VALUES (1)')
    expect(await db.changes()).toHaveLength(1)
  })

  test('P4 a table without a primary key is refused with how to mend it', async () => {
    await db.run('CREATE TABLE keyless (id int)')
    expect(await refusal('keyless')).toEqual({
      message: 'belfry.watch: keyless has no primary key',
      hint: expect.stringContaining('ALTER TABLE keyless ADD PRIMARY KEY'),
    })
  })

  test.each([
    ['a view', 'CREATE VIEW seen AS SELECT 1 AS id', 'seen'],
    ['a materialized view', 'CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id', 'kept'],
    ['a temporary table', 'CREATE TEMPORARY TABLE fleeting (id int PRIMARY KEY)', 'fleeting'],
    ['a sequence', 'CREATE SEQUENCE counted', 'counted'],
    ['a catalogue', 'SELECT 1', 'pg_catalog.pg_class'],
  ])('P4 %s is refused with what can be watched', async (_, create, relation) => {
    await db.run(create)
    expect(await refusal(relation)).toEqual({
      message: expect.stringMatching(/^belfry\.watch: \S+ cannot be watched$/),
      hint: expect.stringMatching(/^Watch an ordinary or partitioned table/),
    })
  })

  test('P4 Belfry’s own tables are refused', async () => {
    expect(await refusal('belfry.outbox')).toEqual({
      message: 'belfry.watch: belfry.outbox cannot be watched',
      hint: expect.stringContaining("This schema is Belfry's own"),
    })
  })

  test('P4 two tables cannot have one name in the feed: the other is named', async () => {
    await db.run(`CREATE TABLE first_name (id int PRIMARY KEY); SELECT belfry.watch('first_name');
                  ALTER TABLE first_name RENAME TO second_name;
                  CREATE TABLE first_name (id int PRIMARY KEY)`)
    expect(await refusal('first_name')).toEqual({
      message: 'belfry.watch: "first_name" is the name of second_name in the feed already',
      hint: expect.stringContaining("SELECT belfry.watch('second_name')"),
    })
    await watch('second_name')
    await watch('first_name')
    await db.run('INSERT INTO first_name VALUES (1); INSERT INTO second_name VALUES (1)')
    expect((await db.changes()).map(({ table }) => table)).toEqual(['first_name', 'second_name'])
  })

  test('P4 a partition of a watched table is refused: it is heard already', async () => {
    await db.run(`CREATE TABLE years (id int PRIMARY KEY) PARTITION BY RANGE (id);
                  CREATE TABLE years_1 PARTITION OF years FOR VALUES FROM (0) TO (9)`)
    await watch('years')
    expect(await refusal('years_1')).toEqual({
      message: 'belfry.watch: years_1 is a partition of a watched table',
      hint: expect.stringContaining('as changes of that table'),
    })
  })

  test('P1 a partition that was watched by itself is heard once, as its table, from then on', async () => {
    await db.run(`CREATE TABLE ages (id int PRIMARY KEY) PARTITION BY RANGE (id);
                  CREATE TABLE ages_1 PARTITION OF ages FOR VALUES FROM (0) TO (9)`)
    await watch('ages_1')
    await db.run('INSERT INTO ages VALUES (1)')
    await watch('ages')
    await db.run('INSERT INTO ages VALUES (2); TRUNCATE ages')
    expect((await db.changes()).map(({ table, op }) => `${table} ${op}`)).toEqual([
      'ages_1 insert',
      'ages insert',
      'ages truncate',
    ])
    expect(await db.run(`SELECT "table" FROM belfry.watched WHERE "table" LIKE 'ages%'`)).toEqual([
      { table: 'ages' },
    ])
  })
})
