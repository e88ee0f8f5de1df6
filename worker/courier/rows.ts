import { type DeliveryState, deliveryStates } from '../../protocol/delivery-states.ts'
import type { DeliveryCounts } from './delivery.ts'
import type { Row } from './row.ts'

/**
 * The ledger's rows in SQLite, and how many there are in each state.
 *
 * Must hold: rows and counts are written in one transaction, and all writing goes through here,
 * so that the counts are those of a recount without ever being one. An update writes the columns
 * that changed and no others: an index that is not touched is not billed.
 */
export class Rows {
  readonly sql: SqlStorage
  readonly #storage: DurableObjectStorage
  /** What the transaction under way changes in the counts; null while none is. */
  #moved: Map<DeliveryState, number> | null = null

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.sql = storage.sql
    this.sql.exec(SCHEMA)
  }

  /** One synchronous transaction; within another, part of it. */
  write<Result>(work: () => Result): Result {
    if (this.#moved) return work()
    const moved = new Map<DeliveryState, number>()
    this.#moved = moved
    try {
      return this.#storage.transactionSync(() => {
        const result = work()
        for (const [state, by] of moved)
          if (by !== 0)
            this.sql.exec(
              'INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
              ...[state, by],
            )
        return result
      })
    } finally {
      this.#moved = null
    }
  }

  get(id: number): Row | null {
    const [row] = this.sql.exec<Row>('SELECT * FROM deliveries WHERE id = ?', id)
    return row ?? null
  }

  byTag(tag: string): Row | null {
    const [row] = this.sql.exec<Row>('SELECT * FROM deliveries WHERE tag = ?', tag)
    return row ?? null
  }

  byProviderId(id: string): Row | null {
    const [row] = this.sql.exec<Row>(
      'SELECT * FROM deliveries WHERE provider_id = ? ORDER BY id DESC LIMIT 1',
      id,
    )
    return row ?? null
  }

  /** In the order in which their request has them. */
  ofBatch(batch: string): Row[] {
    return this.sql
      .exec<Row>('SELECT * FROM deliveries WHERE batch = ? ORDER BY id', batch)
      .toArray()
  }

  /** Whether the request of that key may still have to be repeated. */
  isInDoubt(batch: string): boolean {
    const doubtful = this.sql.exec(
      'SELECT 1 FROM deliveries WHERE batch = ? AND doubt_since IS NOT NULL LIMIT 1',
      batch,
    )
    return doubtful.toArray().length > 0
  }

  inState(state: DeliveryState): Row[] {
    return this.sql
      .exec<Row>('SELECT * FROM deliveries WHERE state = ? ORDER BY id', state)
      .toArray()
  }

  /** To be tried, now or later; what is under way is not. */
  waiting(limit: number): Row[] {
    return this.sql
      .exec<Row>('SELECT * FROM deliveries WHERE next_at IS NOT NULL LIMIT ?', limit)
      .toArray()
  }

  /** Oldest doubt first; what is under way is not asked. */
  inDoubtSince(since: number, limit: number): Row[] {
    return this.sql
      .exec<Row>(
        `SELECT * FROM deliveries WHERE doubt_since <= ? AND state <> 'sending'
          ORDER BY doubt_since LIMIT ?`,
        since,
        limit,
      )
      .toArray()
  }

  forgettable(now: number, limit: number): Pick<Row, 'id' | 'state'>[] {
    return this.sql
      .exec<Pick<Row, 'id' | 'state'>>(
        'SELECT id, state FROM deliveries WHERE forget_at <= ? LIMIT ?',
        now,
        limit,
      )
      .toArray()
  }

  /** @returns false if the ledger has one of that tag */
  add(row: Omit<Row, 'id'>): boolean {
    const names = Object.keys(row)
    const added = this.sql.exec(
      `INSERT INTO deliveries (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
           ON CONFLICT (tag) DO NOTHING RETURNING 1`,
      ...Object.values(row),
    )
    if (added.toArray().length === 0) return false
    this.#count(row.state, 1)
    return true
  }

  save(before: Row, after: Row): void {
    const changed = (Object.keys(after) as (keyof Row)[]).filter(
      (name) => after[name] !== before[name],
    )
    if (changed.length === 0) return
    this.sql.exec(
      `UPDATE deliveries SET ${changed.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      ...changed.map((name) => after[name]),
      before.id,
    )
    if (before.state === after.state) return
    this.#count(before.state, -1)
    this.#count(after.state, 1)
  }

  remove({ id, state }: Pick<Row, 'id' | 'state'>): void {
    this.sql.exec('DELETE FROM deliveries WHERE id = ?', id)
    this.#count(state, -1)
  }

  get counts(): DeliveryCounts {
    const counts = noCounts()
    for (const { state, n } of this.sql.exec<{ state: DeliveryState; n: number }>(
      'SELECT state, n FROM counts',
    ))
      counts[state] = n
    return counts
  }

  #count(state: DeliveryState, by: number): void {
    if (!this.#moved) throw new Error('A delivery was written outside a transaction.')
    this.#moved.set(state, (this.#moved.get(state) ?? 0) + by)
  }
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS deliveries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tag           TEXT    NOT NULL UNIQUE,
    base_key      TEXT    NOT NULL,
    round         INTEGER NOT NULL,
    rule          INTEGER NOT NULL,
    rule_name     TEXT    NOT NULL,
    change        TEXT    NOT NULL,
    table_name    TEXT    NOT NULL,
    row_key       TEXT    NOT NULL,
    recipient     TEXT    NOT NULL,
    recipient_key TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    attempts      INTEGER NOT NULL,
    alone         INTEGER NOT NULL,
    first_at      INTEGER,
    next_at       INTEGER,
    doubt_since   INTEGER,
    forget_at     INTEGER,
    batch         TEXT,
    payload       TEXT,
    provider_id   TEXT,
    word          TEXT,
    sent_at       INTEGER,
    last_error    TEXT,
    created_at    INTEGER NOT NULL,
    history       TEXT    NOT NULL
  );
  CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (alone, next_at) WHERE next_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS deliveries_doubt ON deliveries (doubt_since) WHERE doubt_since IS NOT NULL;
  CREATE INDEX IF NOT EXISTS deliveries_batch ON deliveries (batch) WHERE batch IS NOT NULL;
  CREATE INDEX IF NOT EXISTS deliveries_forget ON deliveries (forget_at) WHERE forget_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS deliveries_provider ON deliveries (provider_id) WHERE provider_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (state);
  CREATE INDEX IF NOT EXISTS deliveries_recipient ON deliveries (recipient_key);
  CREATE INDEX IF NOT EXISTS deliveries_about ON deliveries (table_name, row_key);
  CREATE TABLE IF NOT EXISTS counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
`

export function noCounts(): DeliveryCounts {
  return Object.fromEntries(deliveryStates.map((state) => [state, 0])) as DeliveryCounts
}
