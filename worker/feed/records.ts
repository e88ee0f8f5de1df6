import { type Life, newEpoch } from './life.ts'

/**
 * What the feed must remember besides the log: its life, the shards that asked to be told, and
 * the nonces of links, so that none opens twice.
 */
export class Records {
  readonly #sql: SqlStorage
  /** As it is stored: nobody else writes it, and it is asked for with every message. */
  #life: Life | null = null

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS life (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        epoch  TEXT    NOT NULL,
        source TEXT,
        term   INTEGER NOT NULL
      );
      CREATE TABLE IF NOT EXISTS shards (name TEXT PRIMARY KEY, sockets INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
    `)
    if (sql.exec('SELECT 1 FROM life').toArray().length === 0) this.beginLife()
  }

  get life(): Life {
    this.#life ??= this.#sql.exec<Life>('SELECT epoch, source, term FROM life').one()
    return this.#life
  }

  set life(life: Life) {
    const { epoch, source, term } = life
    this.#sql.exec('INSERT OR REPLACE INTO life VALUES (1, ?, ?, ?)', epoch, source, term)
    this.#life = life
  }

  beginLife(): Life {
    const epoch = newEpoch(crypto.getRandomValues(new Uint8Array(12)))
    this.life = { epoch, source: null, term: 0 }
    return this.life
  }

  get shards(): { name: string; sockets: number }[] {
    return this.#sql
      .exec<{ name: string; sockets: number }>('SELECT name, sockets FROM shards ORDER BY name')
      .toArray()
  }

  /** @param sockets 0 forgets the shard */
  putShard(name: string, sockets: number): void {
    if (sockets === 0) this.#sql.exec('DELETE FROM shards WHERE name = ?', name)
    else
      this.#sql.exec(
        `INSERT INTO shards VALUES (?, ?) ON CONFLICT (name) DO UPDATE
            SET sockets = excluded.sockets WHERE sockets <> excluded.sockets`,
        name,
        sockets,
      )
  }

  /** @returns false if the nonce was used before and is still good */
  useNonce(nonce: string, now: number, until: number): boolean {
    this.#sql.exec('DELETE FROM nonces WHERE until < ?', now)
    const used = this.#sql.exec('SELECT 1 FROM nonces WHERE nonce = ?', nonce).toArray().length > 0
    if (!used) this.#sql.exec('INSERT INTO nonces VALUES (?, ?)', nonce, until)
    return !used
  }
}
