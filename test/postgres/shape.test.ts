import { describe, expect, test } from 'vitest'
import { servers, session } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

/** What no name should be, and every name may be. */
const ODD = `odd "name" 'with' \\ and, ; ñ 🔔`
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

describe.each(servers)('the shape of a change on $name', (server) => {
  const db = WatchedDatabase.on(server)

  test('P4 a change carries table, operation, key, both rows, a UUID and the time', async () => {
    await db.run(`CREATE TABLE things (id int PRIMARY KEY, name text); SELECT belfry.watch('things');
                  INSERT INTO things VALUES (1, 'one')`)
    const before = Date.now()
    await db.run("UPDATE things SET name = 'uno'")
    await db.run('DELETE FROM things')
    const [insert, update, remove] = await db.changes()
    expect(insert).toMatchObject({ op: 'insert', old: null, new: { id: 1, name: 'one' } })
    expect(update).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      table: 'things',
      op: 'update',
      key: { id: 1 },
      old: { id: 1, name: 'one' },
      new: { id: 1, name: 'uno' },
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/),
    })
    expect(Math.abs(Date.parse(update?.at ?? '') - before)).toBeLessThan(10_000)
    expect(remove).toMatchObject({
      op: 'delete',
      key: { id: 1 },
      old: { id: 1, name: 'uno' },
      new: null,
    })
  })

  test('P4 a table outside the schema public goes by schema.name', async () => {
    await db.run(`CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY);
                  SELECT belfry.watch('shop.orders'); INSERT INTO shop.orders VALUES (1)`)
    expect(await db.changes()).toMatchObject([{ table: 'shop.orders', key: { id: 1 } }])
  })

  test('P4 a key of several columns keeps the key’s order, not the table’s', async () => {
    await db.run(`CREATE TABLE lines (a_line int, note text, z_invoice text, PRIMARY KEY (z_invoice, a_line));
                  SELECT belfry.watch('lines'); INSERT INTO lines VALUES (2, 'x', 'A-1')`)
    const [change] = await db.changes()
    expect(Object.entries(change?.key ?? {})).toEqual([
      ['z_invoice', 'A-1'],
      ['a_line', 2],
    ])
  })

  test('P4 columns that only ride along in the key’s index are not of the key', async () => {
    await db.run(`CREATE TABLE covered (id int, extra text, PRIMARY KEY (id) INCLUDE (extra));
                  SELECT belfry.watch('covered'); INSERT INTO covered VALUES (1, 'x')`)
    expect((await db.changes())[0]?.key).toEqual({ id: 1 })
  })

  test('P4 any name of a table and of a column is carried as it is', async () => {
    await db.run(`CREATE TABLE "Weird Table" ("a b" int PRIMARY KEY, "C" text);
                  SELECT belfry.watch('"Weird Table"'); INSERT INTO "Weird Table" VALUES (1, 'x')`)
    await db.run(`CREATE TABLE ${quoted(ODD)} (${quoted(`key ${ODD}`)} text PRIMARY KEY)`)
    await db.run('SELECT belfry.watch($1::regclass)', [quoted(ODD)])
    await db.run(`INSERT INTO ${quoted(ODD)} VALUES ($1)`, [ODD])
    expect(await db.changes()).toMatchObject([
      { table: 'Weird Table', key: { 'a b': 1 }, new: { 'a b': 1, C: 'x' } },
      { table: ODD, key: { [`key ${ODD}`]: ODD }, new: { [`key ${ODD}`]: ODD } },
    ])
  })

  test('P4 a partitioned table goes by its own name, through whichever partition', async () => {
    await db.run(`CREATE TABLE logs (id int, day int, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
                  CREATE TABLE logs_1 PARTITION OF logs FOR VALUES IN (1);
                  SELECT belfry.watch('logs');
                  CREATE TABLE logs_2 PARTITION OF logs FOR VALUES IN (2)`)
    await db.run('INSERT INTO logs VALUES (1, 1)')
    await db.run('INSERT INTO logs_2 VALUES (2, 2)')
    await db.run('TRUNCATE logs')
    expect(await db.changes()).toMatchObject([
      { table: 'logs', op: 'insert', key: { id: 1, day: 1 } },
      { table: 'logs', op: 'insert', key: { id: 2, day: 2 } },
      { table: 'logs', op: 'truncate' },
    ])
  })

  test('P4 a row that moves to another partition is deleted from one, inserted into the other', async () => {
    await db.run(`CREATE TABLE moves (id int, day int, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
                  CREATE TABLE moves_1 PARTITION OF moves FOR VALUES IN (1);
                  CREATE TABLE moves_2 PARTITION OF moves FOR VALUES IN (2);
                  SELECT belfry.watch('moves'); INSERT INTO moves VALUES (1, 1)`)
    await db.changes()
    await db.run('UPDATE moves SET day = 2')
    expect(await db.changes()).toMatchObject([
      { op: 'delete', key: { id: 1, day: 1 } },
      { op: 'insert', key: { id: 1, day: 2 } },
    ])
  })

  test('P4 a stored generated column arrives computed', async () => {
    await db.run(`CREATE TABLE sums (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
                  SELECT belfry.watch('sums'); INSERT INTO sums VALUES (1, 5); UPDATE sums SET a = 6`)
    expect((await db.changes()).map((change) => [change.old?.twice, change.new?.twice])).toEqual([
      [undefined, 10],
      [10, 12],
    ])
  })

  test('P4 every type arrives as JSON has it', async () => {
    await db.run(`CREATE TYPE mood AS ENUM ('ok'); CREATE TYPE pair AS (a int, b text);
      CREATE TABLE kinds (id int PRIMARY KEY, doc jsonb, raw json, bytes bytea, list text[], grid int[][],
        yes bool, id2 uuid, m mood, p pair, day date, ip inet, nothing text);
      SELECT belfry.watch('kinds');
      INSERT INTO kinds VALUES (1, '{"a": [1, 2.50, null, "x\\"y"], "b": {}}', '{"z":1,  "a":"\\u00e9"}',
        '\\x00ff5c', ARRAY['a', 'b,c', NULL, '"'], ARRAY[[1,2],[3,4]], true,
        '6d0f0f5e-0000-4000-8000-000000000000', 'ok', (1, 'x'), '2026-11-21', '10.0.0.1', NULL)`)
    expect((await db.changes())[0]?.new).toEqual({
      id: 1,
      doc: { a: [1, 2.5, null, 'x"y'], b: {} },
      raw: { z: 1, a: 'é' },
      bytes: '\\x00ff5c',
      list: ['a', 'b,c', null, '"'],
      grid: [
        [1, 2],
        [3, 4],
      ],
      yes: true,
      id2: '6d0f0f5e-0000-4000-8000-000000000000',
      m: 'ok',
      p: { a: 1, b: 'x' },
      day: '2026-11-21',
      ip: '10.0.0.1',
      nothing: null,
    })
  })

  test('P5 a number that a double cannot hold is a string, others stay numbers', async () => {
    await db.run(`CREATE TABLE numbers (id bigint PRIMARY KEY, n numeric, f float8, s smallint, doc jsonb);
      SELECT belfry.watch('numbers');
      INSERT INTO numbers VALUES (9007199254740993, 12345678901234567890.123, 0.1, 7,
                                  '{"deep": [9007199254740993, 1]}'),
                                 (9007199254740992, 1.50, 1e300, -7, '12345678901234567890'),
                                 (1, 'NaN', 'Infinity', 0, '"9007199254740993"'),
                                 (2, '-Infinity', 'NaN', 0, 'null')`)
    const changes = await db.changes()
    expect(changes.map(({ key }) => key)).toEqual([
      { id: '9007199254740993' },
      { id: 9007199254740992 },
      { id: 1 },
      { id: 2 },
    ])
    expect(changes.map((change) => change.new)).toEqual([
      {
        id: '9007199254740993',
        n: '12345678901234567890.123',
        f: 0.1,
        s: 7,
        doc: { deep: ['9007199254740993', 1] },
      },
      { id: 9007199254740992, n: 1.5, f: 1e300, s: -7, doc: '12345678901234567890' },
      { id: 1, n: 'NaN', f: 'Infinity', s: 0, doc: '9007199254740993' },
      { id: 2, n: '-Infinity', f: 'NaN', s: 0, doc: null },
    ])
  })

  test('P5 times are UTC with microseconds, whatever zone the writer lives in', async () => {
    await db.run(
      `CREATE TABLE times (id int PRIMARY KEY, t timestamptz); SELECT belfry.watch('times')`,
    )
    const writer = await session(db.address.url)
    await writer.query("SET timezone = 'Asia/Kathmandu'")
    await writer.query("INSERT INTO times VALUES (1, '2026-11-21 14:18:55.123456+05:45')")
    await writer.query("INSERT INTO times VALUES (2, '0044-03-15 12:00:00+00 BC'), (3, 'infinity')")
    const changes = await db.changes()
    expect(changes.map((change) => change.new?.t)).toEqual([
      '2026-11-21T08:33:55.123456+00:00',
      '0044-03-15T12:00:00+00:00 BC',
      'infinity',
    ])
    for (const { at } of changes) expect(at).toMatch(/\+00:00$/)
  })

  test('P5 the writer’s session settings leave no mark on a row', async () => {
    await db.run(`CREATE TABLE marks (id int PRIMARY KEY, b bytea, i interval, r tstzrange, f float8);
                  SELECT belfry.watch('marks')`)
    const row = `'\\x00ff5c', '1 day 02:03:04.5', '[2026-01-02 00:00+00,2026-03-04 00:00+00)', 0.1::float8 + 0.2`
    const writer = await session(db.address.url)
    await writer.query(`INSERT INTO marks VALUES (1, ${row})`)
    await writer.query(`SET timezone = 'America/Lima'; SET datestyle = 'German'; SET extra_float_digits = -5;
                        SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape'`)
    await writer.query(`INSERT INTO marks VALUES (2, ${row})`)
    const [plain, styled] = await db.changes()
    expect(styled?.new).toEqual({ ...plain?.new, id: 2 })
    expect(plain?.new).toEqual({
      id: 1,
      b: '\\x00ff5c',
      i: '1 day 02:03:04.5',
      r: '["2026-01-02 00:00:00+00","2026-03-04 00:00:00+00")',
      f: 0.30000000000000004,
    })
  })

  test('P5 a search_path that hides everything changes nothing', async () => {
    await db.run(
      `CREATE TABLE sought (id int PRIMARY KEY, r regclass); SELECT belfry.watch('sought')`,
    )
    const writer = await session(db.address.url)
    await writer.query(`CREATE SCHEMA evil; CREATE TABLE evil.outbox (LIKE belfry.outbox INCLUDING ALL);
      CREATE FUNCTION evil.to_json(anyelement) RETURNS json LANGUAGE sql AS $$ SELECT '{}'::json $$;
      SET search_path = evil, pg_catalog`)
    await writer.query("INSERT INTO public.sought VALUES (1, 'public.sought')")
    expect((await db.changes())[0]?.new).toEqual({ id: 1, r: 'public.sought' })
  })
})

describe.each(servers.filter(({ major }) => major >= 18))('virtual columns on $name', (server) => {
  const db = WatchedDatabase.on(server)

  test('P4 a virtual generated column arrives as null: Postgres gives triggers no value of it', async () => {
    await db.run(`CREATE TABLE sums (id int PRIMARY KEY, a int, thrice int GENERATED ALWAYS AS (a * 3) VIRTUAL);
                  SELECT belfry.watch('sums'); INSERT INTO sums VALUES (1, 5); UPDATE sums SET a = 6`)
    expect((await db.changes()).map((change) => [change.old, change.new])).toEqual([
      [null, { id: 1, a: 5, thrice: null }],
      [
        { id: 1, a: 5, thrice: null },
        { id: 1, a: 6, thrice: null },
      ],
    ])
  })
})
