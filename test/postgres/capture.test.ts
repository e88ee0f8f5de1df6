import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { servers, session } from '../support/database.ts'
import { brief, WatchedDatabase } from '../support/watched-database.ts'

describe.each(servers)('capture on $name', (server) => {
  const db = WatchedDatabase.on(server)

  async function items(): Promise<void> {
    await db.run(`
      DROP TABLE IF EXISTS items;
      CREATE TABLE items (id int PRIMARY KEY, name text, size numeric);
      INSERT INTO items SELECT n, 'item ' || n, n FROM generate_series(1, 5) AS n;
      SELECT belfry.watch('items')`)
  }

  test('P1 a committed transaction leaves each of its changes, once', async () => {
    await items()
    await db.run(`BEGIN; INSERT INTO items VALUES (6, 'six', 6);
                  UPDATE items SET name = 'SIX' WHERE id = 6; DELETE FROM items WHERE id = 1; COMMIT`)
    const changes = await db.changes()
    expect(changes.map(brief)).toEqual(['insert 6', 'update 6', 'delete 1'])
    expect(new Set(changes.map(({ id }) => id)).size).toBe(3)
    expect(await db.changes()).toEqual([])
  })

  test('P1 a transaction that rolls back leaves none', async () => {
    await items()
    await db.run("BEGIN; UPDATE items SET name = 'x'; DELETE FROM items; TRUNCATE items; ROLLBACK")
    expect(await db.changes()).toEqual([])
  })

  test('P1 a statement that fails leaves none, whatever it had changed before', async () => {
    await items()
    await expect(db.run('UPDATE items SET size = 1 / (size - 5)')).rejects.toThrow(/zero/)
    expect(await db.changes()).toEqual([])
  })

  test('P1 a rollback to a savepoint takes back what came after it, and only that', async () => {
    await items()
    await db.run(`BEGIN; UPDATE items SET name = 'kept' WHERE id = 1;
                  SAVEPOINT one; UPDATE items SET name = 'gone' WHERE id = 2;
                  SAVEPOINT two; UPDATE items SET name = 'gone' WHERE id = 3;
                  ROLLBACK TO one; UPDATE items SET name = 'kept too' WHERE id = 4; COMMIT`)
    expect((await db.changes()).map(brief)).toEqual(['update 1', 'update 4'])
  })

  test('P1 an exception caught inside a function takes back its part', async () => {
    await items()
    await db.run(`DO $$ BEGIN
      BEGIN
        INSERT INTO items VALUES (7, 'gone', 7);
        RAISE division_by_zero;
      EXCEPTION WHEN division_by_zero THEN
        INSERT INTO items VALUES (8, 'kept', 8);
      END;
    END $$`)
    expect((await db.changes()).map(brief)).toEqual(['insert 8'])
  })

  test('P1 a statement over many rows leaves one change for each', async () => {
    await items()
    await db.run('UPDATE items SET size = size + 1')
    const changes = await db.changes()
    expect(changes.map(brief)).toEqual([1, 2, 3, 4, 5].map((id) => `update ${id}`))
    expect(changes.map((change) => change.new?.size)).toEqual([2, 3, 4, 5, 6])
  })

  test('P1 COPY leaves one insert for each line', async () => {
    await items()
    const client = await session(db.address.url)
    // node-postgres has no COPY of its own: the protocol's messages are sent by hand.
    const { connection } = client as unknown as { connection: CopyConnection }
    connection.query('COPY items FROM STDIN')
    await once(connection, 'copyInResponse')
    connection.sendCopyFromChunk(Buffer.from('10\tten\t10\n11\televen\t11\n'))
    connection.endCopyFrom()
    await once(connection, 'commandComplete')
    expect((await db.changes()).map(brief)).toEqual(['insert 10', 'insert 11'])
  })

  test('P1 INSERT … ON CONFLICT leaves an insert, an update or nothing', async () => {
    await items()
    await db.run(`INSERT INTO items VALUES (1, 'new name', 1), (9, 'nine', 9)
                  ON CONFLICT (id) DO UPDATE SET name = excluded.name`)
    await db.run("INSERT INTO items VALUES (2, 'refused', 2) ON CONFLICT DO NOTHING")
    const changes = await db.changes()
    expect(changes.map(brief)).toEqual(['update 1', 'insert 9'])
    expect(changes[0]).toMatchObject({ old: { name: 'item 1' }, new: { name: 'new name' } })
  })

  test('P1 MERGE leaves what it did', async () => {
    await items()
    await db.run(`MERGE INTO items USING (VALUES (1, 'one'), (2, NULL), (12, 'twelve')) AS given (id, name)
                  ON items.id = given.id
                  WHEN MATCHED AND given.name IS NULL THEN DELETE
                  WHEN MATCHED THEN UPDATE SET name = given.name
                  WHEN NOT MATCHED THEN INSERT VALUES (given.id, given.name, 0)`)
    expect((await db.changes()).map(brief).sort()).toEqual(['delete 2', 'insert 12', 'update 1'])
  })

  test('P1 data-modifying CTEs leave what each of them did', async () => {
    await items()
    await db.run(`WITH gone AS (DELETE FROM items WHERE id < 3 RETURNING *),
                       changed AS (UPDATE items SET name = 'c' WHERE id = 3 RETURNING *)
                  INSERT INTO items SELECT id + 100, name, size FROM gone`)
    expect((await db.changes()).map(brief).sort()).toEqual([
      'delete 1',
      'delete 2',
      'insert 101',
      'insert 102',
      'update 3',
    ])
  })

  test('P1 what a foreign key deletes or sets to null is a change of the child', async () => {
    await items()
    await db.run(`
      CREATE TABLE parts (id int PRIMARY KEY, item int REFERENCES items ON DELETE CASCADE,
                          spare int REFERENCES items ON DELETE SET NULL);
      INSERT INTO parts VALUES (1, 1, 2), (2, 3, 1), (3, 3, 3);
      SELECT belfry.watch('parts')`)
    await db.run('DELETE FROM items WHERE id = 1')
    const changes = await db.changes()
    expect(changes.map((change) => `${change.table} ${brief(change)}`)).toEqual([
      'items delete 1',
      'parts delete 1',
      'parts update 2',
    ])
    expect(changes[2]?.new).toEqual({ id: 2, item: 3, spare: null })
    await db.run('DROP TABLE parts')
  })

  test('P1 a writer without any right on the schema belfry is heard', async () => {
    await items()
    await db.run('CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY)')
    await db.run("SELECT belfry.watch('notes')")
    const admin = await session(db.address.adminUrl)
    await admin.query(`DROP ROLE IF EXISTS clerk_${db.address.name}`)
    await admin.query(`CREATE ROLE clerk_${db.address.name} LOGIN`)
    await db.run(`GRANT ALL ON items, notes TO clerk_${db.address.name}`)
    await db.reader.setAsleep()

    const clerk = await session(db.address.adminUrl)
    await clerk.query(`SET SESSION AUTHORIZATION clerk_${db.address.name}`)
    await expect(clerk.query('SELECT * FROM belfry.outbox')).rejects.toThrow(/permission denied/)
    await clerk.query("INSERT INTO items VALUES (20, 'by a clerk', 1)")
    await clerk.query('UPDATE items SET size = 2 WHERE id = 20')
    await clerk.query('DELETE FROM items WHERE id = 20')
    await clerk.query('TRUNCATE notes')
    expect((await db.changes()).map(brief)).toEqual([
      'insert 20',
      'update 20',
      'delete 20',
      'truncate',
    ])
  })

  test('P1 a prepared transaction is heard when it is committed, and not before', async () => {
    await items()
    await db.run("BEGIN; UPDATE items SET name = 'p' WHERE id = 1; PREPARE TRANSACTION 'p1'")
    expect(await db.changes()).toEqual([])
    await db.run("COMMIT PREPARED 'p1'")
    expect((await db.changes()).map(brief)).toEqual(['update 1'])
  })

  test('P3 an update that changes nothing is no change', async () => {
    await items()
    await db.run('UPDATE items SET name = name, size = size')
    await db.run("UPDATE orders SET status = status; UPDATE items SET name = 'item 1' WHERE id = 1")
    expect(await db.changes()).toEqual([])
  })

  test('P3 1.0 that becomes 1.00 is a change, since a reader can see it', async () => {
    await items()
    await db.run('UPDATE items SET size = 1.0 WHERE id = 1')
    await db.changes()
    await db.run('UPDATE items SET size = 1.00 WHERE id = 1')
    expect((await db.changes()).map(brief)).toEqual(['update 1'])
  })

  test('P3 a null that becomes a value, and back, are changes', async () => {
    await items()
    await db.run('UPDATE items SET name = NULL WHERE id = 1')
    await db.run('UPDATE items SET name = NULL WHERE id = 1')
    await db.run("UPDATE items SET name = '' WHERE id = 1")
    expect((await db.changes()).map((change) => change.new?.name)).toEqual([null, ''])
  })

  test('P3 TRUNCATE is one change without images, of every table it empties', async () => {
    await items()
    await db.run(`CREATE TABLE leaves (id int PRIMARY KEY, item int REFERENCES items);
                  INSERT INTO leaves VALUES (1, 1); SELECT belfry.watch('leaves')`)
    await db.run('TRUNCATE items CASCADE')
    const changes = await db.changes()
    expect(changes.map(({ table }) => table).sort()).toEqual(['items', 'leaves'])
    for (const change of changes)
      expect(change).toMatchObject({ op: 'truncate', key: null, new: null, old: null })
    await db.run('DROP TABLE leaves')
  })
})

type CopyConnection = NodeJS.EventEmitter & {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}
