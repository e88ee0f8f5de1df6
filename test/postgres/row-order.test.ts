import { describe, expect, test } from 'vitest'
import { servers, session } from '../support/database.ts'
import { brief, WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('the order of a row’s changes on $name', (server) => {
  const db = WatchedDatabase.on(server)

  async function places(): Promise<void> {
    await db.run(`
      DROP TABLE IF EXISTS places;
      CREATE TABLE places (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
      INSERT INTO places SELECT generate_series(1, 3);
      SELECT belfry.watch('places')`)
  }

  test('P2 several changes of one row in one transaction keep their order', async () => {
    await places()
    await db.run(`BEGIN; UPDATE places SET n = 1 WHERE id = 1; UPDATE places SET n = 2 WHERE id = 1;
                  DELETE FROM places WHERE id = 1; INSERT INTO places VALUES (1, 3); COMMIT`)
    expect((await db.changes()).map((c) => [c.op, c.old?.n, c.new?.n])).toEqual([
      ['update', 0, 1],
      ['update', 1, 2],
      ['delete', 2, undefined],
      ['insert', undefined, 3],
    ])
  })

  test('P2 an update made inside a table’s own AFTER ROW trigger comes after its cause', async () => {
    await places()
    await db.run(`
      CREATE OR REPLACE FUNCTION double_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE places SET n = NEW.n * 2 WHERE id = NEW.id; RETURN NULL;
      END $$;
      CREATE TRIGGER "AAA first of all" AFTER UPDATE ON places
        FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION double_it()`)
    await db.run('UPDATE places SET n = 5 WHERE id = 1')
    expect((await db.changes()).map((c) => [c.old?.n, c.new?.n])).toEqual([
      [0, 5],
      [5, 10],
    ])
  })

  test('P2 a change of key carries the new key, and the old one in its old row', async () => {
    await places()
    await db.run('UPDATE places SET id = 30 WHERE id = 3')
    const [change, ...more] = await db.changes()
    expect(more).toEqual([])
    expect(change).toMatchObject({ op: 'update', key: { id: 30 }, old: { id: 3 }, new: { id: 30 } })
  })

  test('P2 keys that are swapped leave a chain that can be followed', async () => {
    await places()
    await db.run(`BEGIN; UPDATE places SET id = -1 WHERE id = 1; UPDATE places SET id = 1 WHERE id = 2;
                  UPDATE places SET id = 2 WHERE id = -1; COMMIT`)
    expect((await db.changes()).map((c) => [c.old?.id, c.key?.id])).toEqual([
      [1, -1],
      [2, 1],
      [-1, 2],
    ])
  })

  test('P2 keys that are swapped in one statement arrive both', async () => {
    await places()
    await db.run(`ALTER TABLE places DROP CONSTRAINT places_pkey, ADD PRIMARY KEY (id) DEFERRABLE;
                  UPDATE places SET id = 3 - id WHERE id IN (1, 2)`)
    expect((await db.changes()).map((c) => [c.old?.id, c.key?.id])).toEqual([
      [1, 2],
      [2, 1],
    ])
  })

  test('P2 a transaction that waited for another’s row comes after it', async () => {
    await places()
    const [first, second] = [await session(db.address.url), await session(db.address.url)]
    await first.query('BEGIN; UPDATE places SET n = 1 WHERE id = 1')
    // The second begins, and takes ids of the outbox for other rows, before the first ends.
    await second.query('BEGIN; UPDATE places SET n = 7 WHERE id = 2')
    const waiting = second.query('UPDATE places SET n = n + 10 WHERE id = 1')
    await db.untilBlocked()
    await first.query('UPDATE places SET n = 2 WHERE id = 1')
    await first.query('COMMIT')
    await waiting
    await second.query('COMMIT')
    const ofRow1 = (await db.changes()).filter(({ key }) => key?.id === 1)
    expect(ofRow1.map((c) => c.new?.n)).toEqual([1, 2, 12])
  })

  test('P2 a key that is taken again, while its deletion was still open, comes after it', async () => {
    await places()
    const [first, second] = [await session(db.address.url), await session(db.address.url)]
    await first.query('BEGIN; DELETE FROM places WHERE id = 1')
    const waiting = second.query('INSERT INTO places VALUES (1, 99)')
    await db.untilBlocked()
    await first.query('COMMIT')
    await waiting
    expect((await db.changes()).map(brief)).toEqual(['delete 1', 'insert 1'])
  })
})
