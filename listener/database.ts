import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_CHANGE_BYTES } from '../protocol/link.ts'
import { fillBatch, type OutboxRow, type OwedChange } from '../protocol/outbox.ts'
import { POOLER_SENTENCE } from './address.ts'

/** A query that takes longer has lost its server: with the sweep, found within 15 s. */
const QUERY_TIMEOUT_MS = 9_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEPALIVE_MS = 5_000
/** A session of our own answers sooner, whatever others do. */
const OWN_TURN_MS = 5_000

/** Advisory lock of leadership. One number for all, since a lock is of one database. */
const LEADER_LOCK = 'hashtextextended($$belfry leader$$, 0)'

/** What one look at the outbox found. */
export type Found = {
  /** A batch, in the order of the outbox. */
  owed: OwedChange[]
  /** There may be more than fits the batch. */
  more: boolean
  /** Every transaction below this id had ended when the outbox was read. */
  oldestRunning: bigint
}

/** Prepared, because they are asked for every batch: planning takes as long as an empty look. */
const LOOK = {
  name: 'look',
  text: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, p.*
           FROM (VALUES (1)) AS always LEFT JOIN belfry.peek($1, $2, $3, $4) p ON true`,
}
const FORGET = {
  name: 'forget',
  text: 'DELETE FROM belfry.outbox WHERE id = ANY($1::bigint[])',
}

/** The wrong kind of address: trying again will not help. */
export class PoolerError extends Error {}

/** The listener's one connection to Postgres, and all SQL that it says. */
export class Database {
  readonly #client: pg.Client
  readonly #lost = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  private constructor(client: pg.Client) {
    this.#client = client
    client.once('error', (error) => this.#lost.abort(error))
    client.once('end', () => this.#lost.abort(new Error('the connection to Postgres ended')))
  }

  /** Aborted, with the reason, when the connection is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  static async connect(url: string): Promise<Database> {
    const client = await connect(url, 'belfry listener')
    const database = new Database(client)
    try {
      await refusePooler(client, url)
      // The outbox is read by its ids, however small it was when the plan was made.
      await database.#query('SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off')
      return database
    } catch (error) {
      await database.close()
      throw error
    }
  }

  close(): Promise<void> {
    return Promise.race([
      this.#client.end().catch(() => undefined),
      once(AbortSignal.timeout(1_000), 'abort').then(() => undefined),
    ])
  }

  async source(): Promise<string> {
    return (await this.#one<{ source: string }>('SELECT source FROM belfry.identity')).source
  }

  // --- leadership ----------------------------------------------------------------------------

  async tryLock(): Promise<boolean> {
    return (await this.#one<{ got: boolean }>(`SELECT pg_try_advisory_lock(${LEADER_LOCK}) AS got`))
      .got
  }

  /**
   * A term that was taken is on the disk: after a crash of the server it is not given again. What
   * a leader writes from then on need not be: a delete comes again as a duplicate, and the bell
   * is set anew by whoever leads next.
   * @param above take a term higher than this one too
   */
  async takeTerm(listener: string, above: number): Promise<number> {
    const { term } = await this.#one<{ term: string }>(
      `INSERT INTO belfry.terms (term, listener, backend_pid)
       SELECT greatest(coalesce(max(term), 0), $2::bigint) + 1, $1, pg_backend_pid() FROM belfry.terms
       RETURNING term`,
      [listener, above],
    )
    await this.#query('SET synchronous_commit = off')
    await this.#query('DELETE FROM belfry.terms WHERE term <= $1::bigint - 100', [term])
    return Number(term)
  }

  /** @param feed the one that we are linked to: only it may drain in our place */
  async renewLease(term: number, feed: string | null): Promise<void> {
    await this.#query(
      'UPDATE belfry.terms SET seen_at = clock_timestamp(), feed = $2 WHERE term = $1',
      [term, feed],
    )
  }

  /**
   * Ends the backend that holds the lock, if its leader has not renewed its lease or is an earlier
   * connection of this very listener: it will not let go by itself. One that took the lock and
   * never came to take a term is judged by its last query.
   * @returns the name of the listener whose backend was ended
   */
  async endStaleLeader(listener: string, leaseMs: number): Promise<string | null> {
    const { rows } = await this.#query<{ listener: string }>(
      `SELECT coalesce(t.listener, 'a listener without a term') AS listener, pg_terminate_backend(a.pid)
         FROM pg_locks l
         JOIN pg_stat_activity a ON a.pid = l.pid AND a.application_name = 'belfry listener'
         LEFT JOIN LATERAL (
           SELECT listener, seen_at FROM belfry.terms
            WHERE backend_pid = a.pid AND taken_at >= a.backend_start ORDER BY term DESC LIMIT 1
         ) t ON true
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.pid <> pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32 | l.objid::bigint) = ${LEADER_LOCK}
          AND (t.listener = $1
               OR coalesce(t.seen_at, a.state_change) < clock_timestamp() - $2 * interval '1 millisecond')`,
      [listener, leaseMs],
    )
    return rows[0]?.listener ?? null
  }

  // --- the outbox ----------------------------------------------------------------------------

  /** @param taken ids of rows that are under way already */
  async look(taken: readonly string[]): Promise<Found> {
    const { rows } = await this.#query<{ xmin: string } & (OutboxRow | { id: null })>(LOOK, [
      MAX_BATCH_CHANGES,
      MAX_BATCH_BYTES,
      MAX_CHANGE_BYTES,
      arrayOf(taken),
    ])
    const found = rows.filter((row): row is { xmin: string } & OutboxRow => row.id !== null)
    return { ...fillBatch(found), oldestRunning: BigInt(rows[0]?.xmin ?? 0) }
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#query(FORGET, [arrayOf(ids)])
  }

  /**
   * Writes the canary's row: a change like any other, that nobody is shown.
   * @returns the beat's number
   */
  async beat(): Promise<number> {
    const { beat } = await this.#one<{ beat: string }>(
      `INSERT INTO belfry.canary AS c (beat) VALUES (1)
           ON CONFLICT (only_one) DO UPDATE SET beat = c.beat + 1, at = clock_timestamp()
       RETURNING beat`,
    )
    return Number(beat)
  }

  // --- the bell ------------------------------------------------------------------------------

  /**
   * @param onRing `own`: it was this very session that rang
   * @returns false where LISTEN is not to be had
   */
  async listen(onRing: (own: boolean) => void): Promise<boolean> {
    const { processID: ownId } = this.#client as unknown as { processID: number }
    this.#client.on('notification', ({ processId }) => onRing(processId === ownId))
    try {
      await this.#query('LISTEN belfry')
      const { n } = await this.#one<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_listening_channels() AS c WHERE c = 'belfry'",
      )
      return n > 0
    } catch (error) {
      // Answered by the server (feature not supported, read only, ...), so the connection stands.
      if (error instanceof pg.DatabaseError) return false
      throw error
    }
  }

  async setAwake(): Promise<void> {
    await this.#query("SELECT setval('belfry.bell', 1)")
  }

  /**
   * Sets the bell to "asleep".
   *
   * The mark is a transaction id of our own, taken after the bell was set: every transaction that
   * could have read "awake" was given a lower one. pg_snapshot_xmax would not do: it is one past
   * the newest id that has *ended*, and a writer with a higher id may be under way.
   * @returns the mark
   */
  async setAsleep(): Promise<bigint> {
    await this.#query("SELECT setval('belfry.bell', 2)")
    return BigInt(
      (await this.#one<{ mark: string }>('SELECT pg_current_xact_id()::text AS mark')).mark,
    )
  }

  /** One at a time: the lease is renewed while a look may be under way. */
  #query<Row extends pg.QueryResultRow>(
    query: string | { name: string; text: string },
    values: readonly unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    const config = typeof query === 'string' ? { text: query } : query
    const run = this.#last.then(() => this.#client.query<Row>({ ...config, values: [...values] }))
    this.#last = run.catch((error: unknown) => {
      // Not an answer of the server's, so there will be none to whoever waits behind either.
      if (!(error instanceof pg.DatabaseError)) this.#lost.abort(error)
    })
    return run
  }

  async #one<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row> {
    const { rows } = await this.#query<Row>(text, values)
    return rows[0] as Row
  }
}

/** Postgres' own text for an array of numbers: the driver's would look for quotes in each. */
function arrayOf(ids: readonly string[]): string {
  return `{${ids.join(',')}}`
}

async function connect(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
  })
  // Without a listener an 'error' would end the process; `lost` reports it.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/**
 * A pooler invents the key that cancels a query, so the process id in it is not the backend's.
 * That alone proves nothing (Neon's own proxy does it too); but if another session's transaction
 * can take our backend away from us, we have none of our own.
 */
async function refusePooler(client: pg.Client, url: string): Promise<void> {
  const before = await backendPid(client)
  if (before === (client as unknown as { processID: number }).processID) return
  const other = await connect(url, 'belfry listener probe')
  try {
    await other.query('BEGIN')
    await other.query('SELECT 1')
    // With a single backend to share, ours has to wait until the other's transaction ends.
    const after = await Promise.race([backendPid(client), delay(OWN_TURN_MS, null, { ref: false })])
    if (after !== before) throw new PoolerError(POOLER_SENTENCE)
    await other.query('ROLLBACK')
  } finally {
    await other.end().catch(() => undefined)
  }
}

async function backendPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0]?.pid ?? 0
}
