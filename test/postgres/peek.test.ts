import { describe, expect, test } from 'vitest'
import { Database } from '../../listener/database.ts'
import { MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_CHANGE_BYTES } from '../../protocol/link.ts'
import { servers, session } from '../support/database.ts'
import { takeChanges } from '../support/outbox.ts'
import { brief, WatchedDatabase } from '../support/watched-database.ts'

/** What a value of the feed's storage holds: a batch is one such value. */
const STORED_VALUE_BYTES = 2_097_152

describe.each(servers)('reading the outbox on $name', (server) => {
  const db = WatchedDatabase.on(server)

  async function texts(keyType = 'int'): Promise<void> {
    await db.run(`DROP TABLE IF EXISTS texts; CREATE TABLE texts (id ${keyType} PRIMARY KEY, body text);
                  SELECT belfry.watch('texts')`)
  }

  test('P6 a row of 3 MB travels without its images and holds nothing up', async () => {
    await texts()
    await db.run(
      `INSERT INTO texts VALUES (1, 'small'), (2, repeat('x', 3000000)), (3, 'small too')`,
    )
    await db.run("UPDATE texts SET body = 'shrunk' WHERE id = 2")
    await db.run('DELETE FROM texts')
    // Not even to the listener does it travel.
    const rows = await db.run<{ new: string | null }>(
      'SELECT * FROM belfry.peek(100, 1000000, $1, $2)',
      [MAX_CHANGE_BYTES, []],
    )
    expect(rows).toHaveLength(7)
    for (const row of rows) expect(JSON.stringify(row).length).toBeLessThan(1_000)
    const changes = await db.changes()
    expect(changes.map(brief)).toEqual([
      ...['insert 1', 'insert 2', 'insert 3', 'update 2', 'delete 1', 'delete 3', 'delete 2'],
    ])
    expect(changes.filter(({ oversize }) => oversize).map(brief)).toEqual(['insert 2', 'update 2'])
    expect(changes[1]).toMatchObject({ key: { id: 2 }, new: null, old: null, oversize: true })
    expect(changes[2]).toMatchObject({ new: { id: 3, body: 'small too' } })
  })

  test('P6 the limit is of bytes, not of characters', async () => {
    await texts()
    await db.run(`INSERT INTO texts VALUES (1, repeat('ñ', 1000000)), (2, repeat('n', 1000000))`)
    expect((await db.changes()).map(({ oversize }) => oversize)).toEqual([true, undefined])
  })

  test('P6 what the quotes around its numbers make too large is sent bare', async () => {
    await db.run(`CREATE TABLE long_lists (id int PRIMARY KEY, list bigint[]); SELECT belfry.watch('long_lists');
      INSERT INTO long_lists SELECT 1, array_agg(9007199254740993) FROM generate_series(1, 110000)`)
    expect(await db.changes()).toMatchObject([{ key: { id: 1 }, new: null, oversize: true }])
  })

  test.each([
    ['the escape of a zero byte', String.raw`{"a":"\u0000"}`],
    ['half of a surrogate pair', String.raw`"\ud800"`],
    ['the wrong half of one', String.raw`"\uDC00\uD800"`],
    ['a backslash before what looks like one', String.raw`"\\u0000 \\\u0000"`],
    ['a whole pair', String.raw`"\ud83d\udd14"`],
  ])('P1 a json column that holds %s holds nothing up', async (_, json) => {
    await db.run(`DROP TABLE IF EXISTS documents; CREATE TABLE documents (doc json, id text PRIMARY KEY);
                  SELECT belfry.watch('documents')`)
    await db.run(String.raw`INSERT INTO documents VALUES ($1, '\u0000 \ud800')`, [json])
    await db.run("INSERT INTO documents VALUES ('1', 'after')")
    const [odd, after] = await db.changes()
    expect(odd?.key).toEqual({ id: String.raw`\u0000 \ud800` })
    expect(odd?.new?.doc).toEqual(JSON.parse(json))
    expect(after?.key).toEqual({ id: 'after' })
  })

  test('P1 a row nested as deep as Postgres can read arrives with its key', async () => {
    await db.run(`CREATE TABLE nests (id int PRIMARY KEY, doc json); SELECT belfry.watch('nests')`)
    const insert = (depth: number) =>
      db.run(`INSERT INTO nests VALUES (1, '${'['.repeat(depth)}${']'.repeat(depth)}')`)
    let [depth, tooDeep] = [1_000, 100_000]
    while (tooDeep - depth > 1) {
      const middle = Math.floor((depth + tooDeep) / 2)
      const fits = await insert(middle).then(
        () => db.run('DELETE FROM nests').then(() => true),
        () => false,
      )
      if (fits) depth = middle
      else tooDeep = middle
    }
    await db.run('TRUNCATE belfry.outbox')
    await insert(depth)
    await db.run("INSERT INTO nests VALUES (2, '1')")
    expect((await db.changes()).map(({ key }) => key)).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('a look takes at most so many changes', async () => {
    await texts()
    await db.run("INSERT INTO texts SELECT n, 'x' FROM generate_series(1, 2500) AS n")
    expect(await db.reader.look([])).toMatchObject({
      owed: { length: MAX_BATCH_CHANGES },
      more: true,
    })
    expect((await db.changes()).map(({ key }) => key?.id)).toEqual(
      Array.from({ length: 2_500 }, (_, index) => index + 1),
    )
  })

  test('a look stops before it exceeds so many bytes, and takes one larger row alone', async () => {
    await texts()
    await db.run(`INSERT INTO texts SELECT n, repeat('x', CASE n WHEN 4 THEN 1500000 ELSE 400000 END)
                  FROM generate_series(1, 5) AS n`)
    const looks: number[] = []
    for (;;) {
      const { owed, more } = await db.reader.look([])
      if (owed.length === 0) break
      looks.push(owed.length)
      if (owed.length > 1)
        expect(owed.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(MAX_BATCH_BYTES)
      await db.reader.forget(owed.map(({ id }) => id))
      expect(more).toBe(looks.length < 4)
    }
    expect(looks).toEqual([2, 1, 1, 1])
  })

  test('a look of the widest keys still fits the value in which the feed stores a batch', async () => {
    await texts('text')
    await db.run(
      `INSERT INTO texts SELECT repeat(md5(n::text), 30) || n FROM generate_series(1, 1500) AS n`,
    )
    const { owed } = await db.reader.look([])
    const stored = owed.map(({ text }) => text.length + '"offset":1000000,'.length)
    expect(stored.reduce((sum, length) => sum + length, 0)).toBeLessThan(STORED_VALUE_BYTES)
    expect(owed.length).toBeGreaterThan(300)
  })

  test('the limits that are asked for are kept to, and it is said that more follows', async () => {
    await texts()
    await db.run("INSERT INTO texts SELECT n, repeat('x', 1000) FROM generate_series(1, 10) AS n")
    const peek = async (...limits: number[]) =>
      (
        await db.run<{ followed: boolean }>('SELECT * FROM belfry.peek($1, $2, $3, $4)', [
          ...limits,
          [],
        ])
      ).map(({ followed }) => followed)
    expect(await peek(3, MAX_BATCH_BYTES, MAX_CHANGE_BYTES)).toEqual([true, true, true])
    expect(await peek(10, MAX_BATCH_BYTES, MAX_CHANGE_BYTES)).toEqual([
      ...Array(9).fill(true),
      false,
    ])
    expect(await peek(100, 1, MAX_CHANGE_BYTES)).toEqual([true])
    expect(await peek(100, 1, 10)).toHaveLength(10)
    expect(await peek(100, 2_500, MAX_CHANGE_BYTES)).toHaveLength(2)
    expect(await peek(0, 1, 1)).toEqual([])
  })

  test('P2 what is under way is left out by name: a late commit below it is still found', async () => {
    await texts()
    const late = await session(db.address.url)
    await late.query("BEGIN; INSERT INTO texts VALUES (1, 'late')")
    await db.run("INSERT INTO texts VALUES (2, 'early'), (3, 'early')")
    const taken = (await db.reader.look([])).owed.map(({ id }) => id)
    expect(taken).toHaveLength(2)
    expect(await db.reader.look(taken)).toMatchObject({ owed: [], more: false })
    await late.query('COMMIT')
    await db.run("INSERT INTO texts VALUES (4, 'later')")
    const { owed } = await db.reader.look(taken)
    expect(owed.map(({ text }) => JSON.parse(text).key)).toEqual([{ id: 1 }, { id: 4 }])
    await late.end()
  })

  test('a crowded outbox is read by its ids, by a plan that was made while it was empty', async () => {
    await texts()
    const reader = await Database.connect(db.address.url)
    for (let looks = 0; looks < 8; looks++) await reader.look([])
    await db.run("INSERT INTO texts SELECT n, 'x' FROM generate_series(1, 20000) AS n")
    const before = await rowsScanned()
    expect(await takeChanges(reader)).toHaveLength(20_000)
    // A session tells of its scans when it ends, at the latest.
    await reader.close()
    await db.untilSessions(1)
    expect((await rowsScanned()) - before).toBeLessThan(20_000)
  })

  /** Of the outbox, from its first to its last, by all sessions that have told. */
  async function rowsScanned(): Promise<number> {
    await db.run('SELECT pg_stat_force_next_flush()')
    const [outbox] = await db.run<{ rows: string }>(
      "SELECT seq_tup_read AS rows FROM pg_stat_user_tables WHERE relname = 'outbox'",
    )
    return Number(outbox?.rows)
  }

  test('P10 what is not visible yet is not taken, and comes when it is', async () => {
    await texts()
    expect((await db.reader.look([])).owed).toEqual([])
    await db.run("BEGIN; INSERT INTO texts VALUES (1, 'open')")
    expect((await db.reader.look([])).owed).toEqual([])
    await db.run('COMMIT')
    const later = await db.reader.look([])
    expect(later.owed).toHaveLength(1)
    expect(later.owed[0]?.ageMs).toBeGreaterThanOrEqual(0)
    expect(await db.changes()).toHaveLength(1)
  })

  test('P10 a row that commits late, behind a higher id, is not skipped', async () => {
    await texts()
    const late = await session(db.address.url)
    await late.query("BEGIN; INSERT INTO texts VALUES (1, 'late')")
    await db.run("INSERT INTO texts VALUES (2, 'early')")
    expect((await db.changes()).map(brief)).toEqual(['insert 2'])
    await late.query('COMMIT')
    expect((await db.changes()).map(brief)).toEqual(['insert 1'])
  })
})
