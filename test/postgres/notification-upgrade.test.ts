import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrate } from '../../drizzle/migrate.ts'
import { createDatabase, servers, session } from '../support/database.ts'

const FOLDER = fileURLToPath(new URL('../../drizzle/migrations', import.meta.url))
const BEFORE = 8

/** The migrations as they were before there were notifications. */
function earlierMigrations(): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-test-migrations-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(FOLDER, folder, { recursive: true })
  const path = join(folder, 'meta', '_journal.json')
  const journal: { entries: unknown[] } = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, BEFORE) }))
  return folder
}

describe.each(servers)('a database from before the inbox on $name', (server) => {
  it('P80 becomes one with it: its rows stay as they are, and no feed hears of it', async () => {
    const { url } = await createDatabase(server, { migrated: false })
    const sql = await session(url)
    await applyMigrations(drizzle(sql), { migrationsFolder: earlierMigrations() })
    await sql.query(`
      INSERT INTO users (id, name, email, can_receive_notifications)
      VALUES (1, 'Ada', 'ada@example.com', true), (2, 'Grace', NULL, false);
      INSERT INTO preferences VALUES (1, 'orders', 'mail', false);
      INSERT INTO orders (customer_name, product_name, amount) VALUES ('Ada', 'Bell', 1);
      INSERT INTO rules (name, channel, "table", ops, template)
      VALUES ('order-shipped', 'mail', 'orders', '{update}', 'order-status')`)
    const rows = async (text: string) => (await sql.query(text)).rows
    const users = await rows('SELECT * FROM users ORDER BY id')
    const owed = await rows('SELECT id FROM belfry.outbox ORDER BY id')

    const { applied, known } = await migrate(url)
    expect(applied).toBe(known - BEFORE)

    expect(await rows('SELECT id FROM belfry.outbox ORDER BY id')).toEqual(owed)
    expect(await rows('SELECT * FROM users ORDER BY id')).toMatchObject(users)
    expect(await rows('SELECT time_zone, digest, quiet_from FROM users')).toEqual(
      Array(2).fill({ time_zone: 'UTC', digest: 'off', quiet_from: null }),
    )
    expect(await rows('SELECT customer_id, version FROM orders')).toEqual([
      { customer_id: null, version: 1 },
    ])
    expect(await rows('SELECT name, channel FROM rules ORDER BY id')).toEqual([
      { name: 'order-filled', channel: 'mail' },
      { name: 'order-shipped', channel: 'mail' },
      { name: expect.stringMatching(/^order-shipped-/), channel: 'inbox' },
    ])
    await sql.query(`INSERT INTO notifications (user_id, title) VALUES (1, 'Hello'), (2, 'Hello');
                     UPDATE orders SET customer_id = 1; UPDATE users SET name = 'Ada L.' WHERE id = 1`)
    expect(await rows('SELECT user_id, state FROM notifications ORDER BY id')).toEqual([
      { user_id: '1', state: 'delivered' },
      { user_id: '2', state: 'declined' },
    ])
    const heard = await rows(`SELECT op || ' ' || "table" AS heard FROM belfry.outbox ORDER BY id`)
    expect(heard.slice(owed.length).map((row) => row.heard)).toEqual([
      ...['insert notifications', 'insert notifications', 'update orders', 'update users'],
    ])
  })
})
