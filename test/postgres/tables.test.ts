import { neon, neonConfig } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import type { Row } from '../../protocol/change.ts'
import { readRowPage } from '../../worker/api/row-page.ts'
import {
  readWatchedTables,
  type WatchedTable,
  type WatchedTables,
} from '../../worker/api/watched-tables.ts'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('the rows of watched tables, from $name', (server) => {
  const watched = WatchedDatabase.on(server)
  let endpoint: Awaited<ReturnType<typeof serveNeonEndpoint>>

  beforeAll(async () => {
    endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
    neonConfig.fetchEndpoint = () => endpoint.url
  })
  afterAll(() => endpoint.close())

  const database = () => drizzle(neon(watched.address.workerUrl))
  const catalog = (): Promise<WatchedTables> => readWatchedTables(database())

  async function tableOf(name: string): Promise<WatchedTable> {
    const table = (await catalog()).get(name)
    if (!table) throw new Error(`${name} is not watched`)
    return table
  }

  /** Every page, as a reader walks them. */
  async function walk(
    name: string,
    limit: number,
    between: () => Promise<unknown> = async () => 0,
  ) {
    const table = await tableOf(name)
    const pages: { rows: Row[]; oversize: Row[] }[] = []
    let next: readonly string[] | null = null
    do {
      const page = await readRowPage(database(), table, next, limit)
      pages.push(page)
      next = page.next
      await between()
    } while (next !== null)
    return pages
  }
  const all = async (name: string, limit = 1_000) =>
    (await walk(name, limit)).flatMap(({ rows }) => rows)

  it('P4 P5 reads a row exactly as its change has it, whatever the session has set', async () => {
    await watched.run(`
      CREATE TYPE mood AS ENUM ('fine', 'so so');
      CREATE DOMAIN grade AS int CHECK (value > 0);
      CREATE TABLE sorts (
        id bigint PRIMARY KEY, big bigint, exact numeric, price numeric(10, 2), near float8, nearer float4,
        yes boolean, letters text, fixed char(5), bytes bytea, at timestamptz, local timestamp, day date,
        clock time, span interval, mood mood, grade grade, list int[], doc json, docb jsonb, nothing text,
        net inet, x text, y text, page text, settings text);
      SELECT belfry.watch('sorts');
      INSERT INTO sorts VALUES
        (1, 9007199254740993, 0.12345678901234567890123, 12.50, 0.30000000000000004, 0.1, true, E'tab\\t"quote" \\\\ ünï 𝄞', 'ab',
         '\\x00ff', '2026-11-21 08:33:55.123456+02', '2026-11-21 08:33:55.5', '2026-11-21', '08:33:55.1',
         '1 day 02:03:04.5', 'so so', 3, '{1,2}', '{"n": 9007199254740993, "e": 1e400}', '{"a": [1, null]}', NULL,
         '10.0.0.1/8', 'x', 'y', 'page', 'settings'),
        (2, NULL, 'NaN', NULL, 'Infinity', '-0', false, '', NULL, '', 'infinity', '-infinity', 'infinity',
         NULL, '-1 mon', NULL, NULL, '{}', 'null', '"text"', 'x', '::1', NULL, NULL, NULL, NULL)`)
    const changes = await watched.changes()
    await watched.run(`
      ALTER DATABASE ${watched.address.name} SET timezone = 'Asia/Kathmandu';
      ALTER DATABASE ${watched.address.name} SET datestyle = 'German';
      ALTER DATABASE ${watched.address.name} SET intervalstyle = 'sql_standard';
      ALTER DATABASE ${watched.address.name} SET bytea_output = 'escape';
      ALTER DATABASE ${watched.address.name} SET extra_float_digits = 0`)
    try {
      await endpoint.close()
      endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
      expect(await all('sorts', 1)).toEqual(changes.map((change) => change.new))
      expect(await all('sorts')).toEqual(changes.map((change) => change.new))
    } finally {
      await watched.run(`ALTER DATABASE ${watched.address.name} RESET ALL`)
      await endpoint.close()
      endpoint = await serveNeonEndpoint(watched.address.workerUrl, await freePort())
    }
  })

  test.each([
    ['uuid', ['6d0f0f5e-0000-4000-8000-000000000001', '6d0f0f5e-0000-4000-8000-000000000002']],
    ['bigint', ['-1', '0', '9007199254740993', '9223372036854775807']],
    ['numeric', ['-1.10', '0', '0.00000000000000000001', '1e30', 'NaN']],
    ['float8', ['-Infinity', '-0', '0.1', '0.30000000000000004', '1e300', 'NaN']],
    ['text', ['', ' ', "'; DROP TABLE keyed; --", '\\', 'a', 'ä', '𝄞']],
    ['varchar(5)', ['a', 'ab', 'abcde']],
    ['char(5)', ['a', 'ab']],
    ['"char"', ['a', 'b']],
    ['boolean', ['f', 't']],
    ['bytea', ['\\x', '\\x00', '\\xff']],
    ['date', ['-infinity', '0044-03-15 BC', '2026-11-21', 'infinity']],
    ['timestamp', ['2026-11-21 08:33:55.123456', '2026-11-21 08:33:55.123457']],
    ['timestamptz', ['2026-11-21 08:33:55.123456+00', '2026-11-21 08:33:55.123457+00']],
    ['interval', ['-1 day', '1 day', '1 mon']],
    ['int[]', ['{}', '{1}', '{1,2}']],
    ['inet', ['10.0.0.1', '10.0.0.2', '::1']],
    ['season', ['spring', 'autumn']],
    ['positive', ['1', '2']],
  ])('P4 goes through a key of %s, one row a page', async (type, values) => {
    await watched.run(`
      DROP TABLE IF EXISTS keyed;
      DROP TYPE IF EXISTS season; CREATE TYPE season AS ENUM ('spring', 'autumn');
      DROP DOMAIN IF EXISTS positive; CREATE DOMAIN positive AS int CHECK (value > 0);
      CREATE TABLE keyed (k ${type} PRIMARY KEY, place int);
      SELECT belfry.watch('keyed')`)
    for (const [place, value] of values.entries())
      await watched.run(`INSERT INTO keyed VALUES ($1::text::${type}, $2)`, [value, place])
    const pages = await walk('keyed', 1)
    expect(pages.map(({ rows }) => rows.map(({ place }) => place))).toEqual(
      values.map((_, place) => [place]),
    )
  })

  it('P4 goes through a composite key, in its order, whatever the names and the size of pages', async () => {
    await watched.run(`
      CREATE SCHEMA "a.b""c";
      CREATE TABLE "a.b""c"."sel'ect $1; --" (
        "no" bigint, "Gr""oup's \\ ?" text, "select" timestamptz, place int, PRIMARY KEY ("Gr""oup's \\ ?", "select", "no"));
      SELECT belfry.watch('"a.b""c"."sel''ect $1; --"')`)
    const name = `a.b"c.sel'ect $1; --`
    const relation = `"a.b""c"."sel'ect $1; --"`
    const rows = fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'é', ''), fc.nat(3), fc.integer({ min: -3, max: 3 })),
      { maxLength: 12, comparator: (a, b) => a.join() === b.join() },
    )
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 13 }), async (keys, limit) => {
        await watched.run(`TRUNCATE ${relation}`)
        for (const [place, [group, second, no]] of keys.entries())
          await watched.run(
            `INSERT INTO ${relation} VALUES ($1, $2, timestamptz '2026-11-21 00:00Z' + $3 * interval '1 us', $4)`,
            [no, group, second, place],
          )
        const pages = await walk(name, limit)
        const order = await watched.run<{ place: number }>(
          `SELECT place FROM ${relation} ORDER BY "Gr""oup's \\ ?", "select", "no"`,
        )
        expect(pages.flatMap((page) => page.rows.map(({ place }) => place))).toEqual(
          order.map(({ place }) => place),
        )
        expect(pages.map((page) => page.rows.length)).toEqual(chunks(keys.length, limit))
      }),
      { numRuns: 25 },
    )
  })

  it('P30 shows what stays once, while rows before, between and after come and go', async () => {
    await watched.run(`
      CREATE TABLE moving (id int PRIMARY KEY);
      SELECT belfry.watch('moving');
      INSERT INTO moving SELECT n * 10 FROM generate_series(1, 20) AS n`)
    let round = 0
    const pages = await walk('moving', 3, async () => {
      round++
      await watched.run(
        `INSERT INTO moving VALUES (${-round}), (${round * 30 + 5}), (${1_000 + round})`,
      )
      if (round === 2) await watched.run('DELETE FROM moving WHERE id IN (60, 70)')
    })
    const ids = pages.flatMap(({ rows }) => rows.map(({ id }) => Number(id)))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    expect(new Set(ids).size).toBe(ids.length)
    const stayed = Array.from({ length: 20 }, (_, n) => (n + 1) * 10).filter((id) => id !== 70)
    expect(ids).toEqual(expect.arrayContaining(stayed.filter((id) => id !== 60)))
  })

  it('P6 cuts a page by its bytes, and tells only the key of a row above 1.9 MB', async () => {
    await watched.run(`
      CREATE TABLE heavy (shelf text, id int, body text, PRIMARY KEY (shelf, id));
      SELECT belfry.watch('heavy');
      INSERT INTO heavy SELECT 's', n, repeat('x', 300000) FROM generate_series(1, 9) AS n;
      INSERT INTO heavy VALUES ('t', 1, repeat('x', 10000000)), ('t', 2, repeat('x', 1899000)), ('t', 3, 'light')`)
    const pages = await walk('heavy', 1_000)
    expect(pages.map(({ rows, oversize }) => [rows.map(({ id }) => id), oversize])).toEqual([
      [[1, 2, 3, 4, 5, 6, 7], []],
      [[8, 9], [{ shelf: 't', id: 1 }]],
      [[2, 3], []],
    ])
    await watched.run("UPDATE heavy SET body = body || 'y' WHERE id = 1 AND shelf = 't'")
    const [change] = (await watched.changes()).slice(-1)
    expect(change).toMatchObject({ key: { shelf: 't', id: 1 }, oversize: true })
  })

  it('P1 has ONLY the rows whose changes are heard: of partitions all, of heirs none', async () => {
    await watched.run(`
      CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
      CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
      CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE heir () INHERITS (parent);
      SELECT belfry.watch('parts'), belfry.watch('parent');
      INSERT INTO parts VALUES (15), (5), (1);
      INSERT INTO parent VALUES (2), (1);
      INSERT INTO heir VALUES (3)`)
    expect(await all('parts')).toEqual([{ id: 1 }, { id: 5 }, { id: 15 }])
    expect(await all('parent')).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('P4 lists what is watched with its key and its columns, as they are now', async () => {
    await watched.run(`
      CREATE SCHEMA shop;
      CREATE TABLE shop.items (b int, a varchar(20), gone text, PRIMARY KEY (a, b));
      CREATE TABLE secrets (id int PRIMARY KEY);
      SELECT belfry.watch('shop.items');
      ALTER TABLE shop.items DROP COLUMN gone, ADD COLUMN later numeric(10, 2)`)
    const tables = await catalog()
    expect(tables.get('shop.items')).toMatchObject({
      name: 'shop.items',
      key: [{ name: 'a' }, { name: 'b' }],
      columns: [
        { name: 'b', type: 'integer' },
        { name: 'a', type: 'character varying(20)' },
        { name: 'later', type: 'numeric(10,2)' },
      ],
    })
    expect(tables.has('orders')).toBe(true)
    expect(tables.has('secrets')).toBe(false)
    await watched.run('ALTER TABLE shop.items RENAME COLUMN a TO c')
    expect((await tableOf('shop.items')).key).toMatchObject([{ type: null }, { name: 'b' }])
    await watched.run("SELECT belfry.watch('shop.items')")
    expect(await all('shop.items')).toEqual([])
    await watched.run('DROP TABLE shop.items')
    expect((await catalog()).has('shop.items')).toBe(false)
  })

  it('P60 a key that is not of its column’s type is refused by Postgres, and runs nothing', async () => {
    const orders = await tableOf('orders')
    for (const after of ['x', '', "1'; DROP TABLE orders; --", '1) OR (true', '1e999'])
      await expect(readRowPage(database(), orders, [after], 10)).rejects.toMatchObject({
        cause: { code: expect.stringMatching(/^22/) },
      })
    expect(await all('orders')).toEqual([])
  })
})

/** 7 by 3: 3, 3, 1. */
function chunks(count: number, limit: number): number[] {
  if (count <= limit) return [count]
  return [limit, ...chunks(count - limit, limit)]
}
