import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LocalServer } from '../../dev/local-http.ts'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { capturedChange } from '../../protocol/change.ts'
import { MAX_BATCH_CHANGES } from '../../protocol/link.ts'
import { HttpOutbox } from '../../worker/feed/outbox.ts'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('the outbox over HTTP on $name', (server) => {
  const db = WatchedDatabase.on(server)
  let endpoint: LocalServer
  let outbox: HttpOutbox

  beforeAll(async () => {
    endpoint = await serveNeonEndpoint(db.address.workerUrl, await freePort())
    await db.run(`CREATE TABLE things (id bigint, part text, doc json, at timestamptz, PRIMARY KEY (id, part));
                  SELECT belfry.watch('things')`)
  })
  afterAll(() => endpoint.close())
  beforeEach(async () => {
    outbox = new HttpOutbox({ DATABASE_URL: db.address.workerUrl, NEON_ENDPOINT: endpoint.url })
    await db.run('DELETE FROM belfry.terms')
  })

  const WRITE = `
    INSERT INTO things VALUES (9007199254740993, 'Ä"\\', '{"n": 0.1000000000000000055}', '2026-01-02 03:04:05.678901+02');
    UPDATE things SET doc = '[1, 2.50]';
    INSERT INTO things SELECT n, repeat('y', n), to_json(repeat('x', n * 700000)) FROM generate_series(1, 3) AS n;
    DELETE FROM things;
    TRUNCATE things;`

  test('P4 P5 P6 a look finds what the listener finds, text for text', async () => {
    await db.run(WRITE)
    for (let looks = 0; ; looks++) {
      const listeners = await db.reader.look([])
      const ours = await outbox.look()
      const texts = ({ owed }: typeof ours) => owed.map(({ id, text }) => ({ id, text }))
      expect(texts(ours)).toEqual(texts({ ...ours, ...listeners }))
      expect(ours.more).toBe(listeners.more)
      for (const { text } of ours.owed) capturedChange.parse(JSON.parse(text))
      await outbox.forget(ours.owed.map(({ id }) => id))
      if (!ours.more) {
        expect(looks).toBeGreaterThan(1)
        break
      }
    }
    expect((await outbox.look()).owed).toEqual([])
  })

  test('P10 forgets what it is told, and nothing else', async () => {
    await db.run("INSERT INTO things SELECT n, 'p' FROM generate_series(1, 1500) AS n")
    const { owed, more } = await outbox.look()
    expect(owed).toHaveLength(MAX_BATCH_CHANGES)
    expect(more).toBe(true)
    await outbox.forget(owed.slice(1).map(({ id }) => id))
    const left = await outbox.look()
    expect(left.owed.map(({ id }) => id)).toContain(owed[0]?.id)
    expect(left.owed).toHaveLength(501)
  })

  test('P24 says which database it is, and whose changes: the newest term’s that has a feed', async () => {
    const source = await db.reader.source()
    expect(await outbox.look()).toMatchObject({ source, feed: null, term: 0, owed: [] })
    await db.run(`INSERT INTO belfry.terms (term, listener, backend_pid, feed)
                  VALUES (1, 'a', 0, 'old'), (2, 'b', 0, 'new'), (3, 'never welcomed', 0, NULL)`)
    expect(await outbox.look()).toMatchObject({ source, feed: 'new', term: 3 })
  })

  test('P24 a claim holds where no feed is known, against other claims, and not against a leader', async () => {
    await db.run("INSERT INTO belfry.terms (term, listener, backend_pid) VALUES (7, 'unlinked', 0)")
    await outbox.claim('first')
    await outbox.claim('second')
    expect((await outbox.look()).feed).toBe('first')
    expect(await db.reader.takeTerm('a listener', 0)).toBe(8)
    await db.run("UPDATE belfry.terms SET feed = 'its own' WHERE term = 7")
    expect((await outbox.look()).feed).toBe('its own')
  })

  test('P24 terms from before feeds were written down say so, until one is known', async () => {
    await db.run(
      "INSERT INTO belfry.terms (term, listener, backend_pid, feed) VALUES (7, 'a', 0, '')",
    )
    expect((await outbox.look()).feed).toBe('')
    await outbox.claim('first')
    expect((await outbox.look()).feed).toBe('first')
  })

  test('P24 of two that claim at once one has it', async () => {
    await Promise.allSettled(['one', 'two', 'three'].map((feed) => outbox.claim(feed)))
    const rows = await db.run('SELECT feed FROM belfry.terms')
    expect(rows).toEqual([{ feed: (await outbox.look()).feed }])
  })

  test('what fails says what to do', async () => {
    const elsewhere = (DATABASE_URL: string) =>
      new HttpOutbox({ DATABASE_URL, NEON_ENDPOINT: endpoint.url })
    await expect(elsewhere('').look()).rejects.toThrow(/wrangler secret put DATABASE_URL/)
    await db.run('ALTER TABLE belfry.outbox RENAME TO elsewhere')
    await expect(outbox.look()).rejects.toThrow(/npm run migrate/)
    await db.run('ALTER TABLE belfry.elsewhere RENAME TO outbox')
    const nobody = new HttpOutbox({
      DATABASE_URL: db.address.workerUrl,
      NEON_ENDPOINT: 'http://127.0.0.1:9/sql',
    })
    await expect(nobody.look()).rejects.toThrow(/does not answer/)
  })
})
