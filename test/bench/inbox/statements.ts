import pg from 'pg'

/**
 * What one open and one mark cost Postgres itself, each on a connection that has done the like
 * before: the time of the statement, and the pages of 8 kB that it touched, which no other program
 * on the machine can change.
 */
export const STATEMENTS = {
  window: { sql: 'SELECT belfry.inbox_window($1, 100, 10000)', title: 'fill an empty inbox' },
  open: { sql: "SELECT belfry.mark_all($1, 'seen', NULL, false)", title: 'open' },
  mark: {
    sql: `SELECT belfry.mark_notifications($1, ARRAY[(SELECT id FROM notifications
            WHERE user_id = $1 AND state = 'delivered' AND to_inbox
            ORDER BY delivered_at DESC, id DESC LIMIT 1)], 'read', false)`,
    title: 'mark',
  },
} as const
export type StatementName = keyof typeof STATEMENTS
export type Work = { ms: number; pages: number }

type Plan = { 'Execution Time': number; Plan: { [name: string]: number } }

/** Nothing of it stays: each is rolled back. */
export class Statements {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async on(url: string): Promise<Statements> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return new Statements(client)
  }

  async measure(name: StatementName, person: number): Promise<Work> {
    await this.#client.query('BEGIN')
    try {
      const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${STATEMENTS[name].sql.replaceAll('$1', String(person))}`
      const { rows } = await this.#client.query<{ 'QUERY PLAN': [Plan] }>(explain)
      const [plan] = (rows[0] as { 'QUERY PLAN': [Plan] })['QUERY PLAN']
      const { Plan: whole } = plan
      return {
        ms: plan['Execution Time'],
        pages: (whole['Shared Hit Blocks'] ?? 0) + (whole['Shared Read Blocks'] ?? 0),
      }
    } finally {
      await this.#client.query('ROLLBACK')
    }
  }

  async end(): Promise<void> {
    await this.#client.end()
  }
}
