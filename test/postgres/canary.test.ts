import { describe, expect, test } from 'vitest'
import { servers, session } from '../support/database.ts'
import { Heard } from '../support/heard.ts'
import { WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('the canary on $name', (server) => {
  const db = WatchedDatabase.on(server)

  test('P70 each beat is one change, as of a watched table', async () => {
    await db.run('DELETE FROM belfry.canary')
    await db.changes()
    for (let beat = 1; beat <= 3; beat++) {
      await db.reader.beat()
      const changes = await db.changes()
      expect(changes).toMatchObject([
        {
          table: 'belfry.canary',
          op: beat === 1 ? 'insert' : 'update',
          key: { only_one: true },
          new: { only_one: true, beat },
        },
      ])
      expect(changes[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
    }
  })

  test('P11 P70 it rings a sleeper, once, and no other', async () => {
    const heard = await Heard.by(await session(db.address.url))
    const speaker = { query: (text: string) => db.run(text) }
    await db.reader.beat()
    expect(await heard.rings(speaker)).toBe(0)
    await db.reader.setAsleep()
    await db.reader.beat()
    expect(await heard.rings(speaker)).toBe(1)
  })

  test('P70 it has the triggers of a watched table, and is not among them', async () => {
    const triggers = (relation: string) =>
      db.run(
        `SELECT tgname, tgtype, tgfoid FROM pg_trigger
          WHERE tgrelid = $1::regclass AND tgname ~ '^[!~]belfry' ORDER BY 1`,
        [relation],
      )
    const canarys = await triggers('belfry.canary')
    expect(canarys).toHaveLength(3)
    expect(canarys).toEqual(await triggers('orders'))
    const watched = await db.run<{ table: string }>('SELECT "table" FROM belfry.watched')
    expect(watched.map(({ table }) => table)).toContain('orders')
    expect(watched.map(({ table }) => table)).not.toContain('belfry.canary')
  })

  test('P1 no table of people’s can take its name in the feed, and be taken for it', async () => {
    await db.run('CREATE TABLE public."belfry.canary" (id int PRIMARY KEY)')
    await expect(db.run(`SELECT belfry.watch('public."belfry.canary"')`)).rejects.toThrow(
      "belfry.canary is Belfry's own name",
    )
    await db.run('INSERT INTO public."belfry.canary" VALUES (1)')
    expect(await db.changes()).toEqual([])
  })

  test('P70 after its row was deleted or truncated it beats on', async () => {
    for (const harm of ['DELETE FROM belfry.canary', 'TRUNCATE belfry.canary']) {
      await db.run(harm)
      await db.changes()
      await db.reader.beat()
      expect(await db.changes()).toMatchObject([{ op: 'insert', new: { beat: 1 } }])
    }
  })
})
