import type { WatchedDatabase } from '../support/watched-database.ts'

/** A row as Postgres gives it; times as `Date`. */
export type Told = {
  id: string
  state: string
  problem: string | null
  deliver_at: Date | null
  delivered_at: Date | null
  digested: boolean
  to_inbox: boolean
  to_mail: boolean
  to_webhook: boolean
  title: string
  category: string
  version: number
}

/** What the tests of notifications do to a database. */
export class Notified {
  readonly db: WatchedDatabase

  constructor(db: WatchedDatabase) {
    this.db = db
  }

  /** @returns the new user's id */
  async user(fields: Record<string, unknown> = {}): Promise<string> {
    return (await this.#insert<{ id: string }>('users', { name: 'Ada', ...fields })).id
  }

  notify(user: string, fields: Record<string, unknown> = {}): Promise<Told> {
    return this.#insert('notifications', { user_id: user, title: 'Shipped', ...fields })
  }

  async told(id: string): Promise<Told> {
    const [row] = await this.db.run<Told>('SELECT * FROM notifications WHERE id = $1', [id])
    return row as Told
  }

  async change(table: string, id: string, set: string): Promise<void> {
    await this.db.run(`UPDATE ${table} SET ${set} WHERE id = $1`, [id])
  }

  prefer(user: string, category: string, channel: string, enabled: boolean): Promise<unknown> {
    return this.db.run(
      `INSERT INTO preferences VALUES ($1, $2, $3, $4)
           ON CONFLICT (user_id, category, channel) DO UPDATE SET enabled = excluded.enabled`,
      [user, category, channel, enabled],
    )
  }

  /** As if so much time had passed for what is scheduled for a user. */
  async later(user: string, interval: string): Promise<void> {
    await this.db.run(`ALTER TABLE notifications DISABLE TRIGGER USER;
      UPDATE notifications SET deliver_at = deliver_at - interval '${interval}',
             scheduled_at = scheduled_at - interval '${interval}',
             created_at = created_at - interval '${interval}',
             expires_at = expires_at - interval '${interval}'
       WHERE user_id = ${user} AND state = 'scheduled';
      ALTER TABLE notifications ENABLE TRIGGER USER`)
  }

  async deliverDue(
    user: string,
    size = 100,
  ): Promise<{ notifications: Told[]; next_ms: number | null }> {
    const [row] = await this.db.run<{ answer: { notifications: Told[]; next_ms: number | null } }>(
      'SELECT belfry.deliver_due($1, $2) AS answer',
      [user, size],
    )
    if (!row) throw new Error('belfry.deliver_due answered nothing')
    return row.answer
  }

  async #insert<Row>(table: string, fields: Record<string, unknown>): Promise<Row> {
    const columns = Object.keys(fields)
    const places = columns.map((_, index) => `$${index + 1}`)
    const [row] = await this.db.run<Row & object>(
      `INSERT INTO ${table} (${columns.join()}) VALUES (${places.join()}) RETURNING *`,
      Object.values(fields),
    )
    return row as Row
  }
}
