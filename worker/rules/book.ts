import type { Change, Row } from '../../protocol/change.ts'
import { Unready } from '../feed/consumer.ts'

/**
 * What a small watched table says at one place of the log: a copy of it in the feed's object.
 *
 * Postgres is authoritative; the order is the log's. In each life of the feed the copy is loaded
 * once, and moved from then on by the table's own changes as they pass its consumer, so that what
 * a row says is in force for every change behind it and for none before. What was loaded may be
 * ahead of the log: only newer versions of a row move it. A row that cannot be read takes its
 * place and says nothing.
 * Must hold: a page of changes that fails leaves the copy where it was, as the page comes again.
 * While it cannot be loaded, its consumer waits: Unready.
 */
export type BookOf<Entry> = {
  /** Its name; several books may copy one table. */
  name: string
  /** As the feed knows it. */
  table: string
  /** @returns null if the row says nothing, or nothing that can be read */
  read: (row: Row) => Entry | null
  /** All rows there are now, as a change carries them. */
  load: () => Promise<Row[]>
}

export class Book<Entry> {
  readonly #sql: SqlStorage
  readonly #of: BookOf<Entry>
  #loading: Promise<void> | null = null
  #rows: Known<Entry> | null = null

  constructor(sql: SqlStorage, of: BookOf<Entry>) {
    this.#sql = sql
    this.#of = of
    sql.exec(`
      CREATE TABLE IF NOT EXISTS books (name TEXT PRIMARY KEY, epoch TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS book_rows (
        book    TEXT    NOT NULL,
        id      TEXT    NOT NULL,
        version INTEGER NOT NULL,
        row     TEXT    NOT NULL,
        PRIMARY KEY (book, id)
      ) WITHOUT ROWID;
    `)
  }

  /**
   * @param epoch the feed's life
   * @throws Unready if it cannot be loaded
   */
  async open(epoch: string): Promise<OpenBook<Entry>> {
    while (!this.#isOf(epoch)) {
      this.#loading ??= this.#load(epoch).finally(() => {
        this.#loading = null
      })
      await this.#loading
    }
    this.#rows ??= this.#stored()
    return new OpenBook(this.#of, this.#rows, (rows) => {
      // A new life may have begun meanwhile, and its book been loaded.
      if (this.#isOf(epoch)) this.#keep(rows)
    })
  }

  #isOf(epoch: string): boolean {
    return (
      this.#sql
        .exec('SELECT 1 FROM books WHERE name = ? AND epoch = ?', this.#of.name, epoch)
        .toArray().length > 0
    )
  }

  async #load(epoch: string): Promise<void> {
    const { name, load } = this.#of
    const rows = await load().catch((error: unknown) => {
      throw new Unready(error instanceof Error ? error.message : String(error))
    })
    const known: Known<Entry> = new Map()
    for (const row of rows) put(known, this.#of, row)
    this.#sql.exec('DELETE FROM book_rows WHERE book = ?', name)
    this.#rows = new Map()
    this.#keep(known)
    this.#sql.exec('INSERT OR REPLACE INTO books VALUES (?, ?)', name, epoch)
  }

  #stored(): Known<Entry> {
    const known: Known<Entry> = new Map()
    for (const { row } of this.#sql.exec<{ row: string }>(
      'SELECT row FROM book_rows WHERE book = ?',
      this.#of.name,
    ))
      put(known, this.#of, JSON.parse(row))
    return known
  }

  #keep(rows: Known<Entry>): void {
    const { name } = this.#of
    for (const id of this.#rows?.keys() ?? [])
      if (!rows.has(id)) this.#sql.exec('DELETE FROM book_rows WHERE book = ? AND id = ?', name, id)
    for (const [id, { version, row }] of rows)
      if (this.#rows?.get(id)?.row !== row)
        this.#sql.exec(
          'INSERT OR REPLACE INTO book_rows VALUES (?, ?, ?, ?)',
          name,
          id,
          version,
          JSON.stringify(row),
        )
    this.#rows = rows
  }
}

/** A book while one page of changes passes. */
export class OpenBook<Entry> {
  readonly #of: BookOf<Entry>
  readonly #keep: (rows: Known<Entry>) => void
  #rows: Known<Entry>
  #moved = false
  #entries: Entry[] | null = null

  constructor(of: BookOf<Entry>, rows: Known<Entry>, keep: (rows: Known<Entry>) => void) {
    this.#of = of
    this.#rows = rows
    this.#keep = keep
  }

  /** What is in force now. */
  get entries(): readonly Entry[] {
    this.#entries ??= Array.from(this.#rows.values(), ({ entry }) => entry).filter(
      (entry) => entry !== null,
    )
    return this.#entries
  }

  /** A change of the table is in force from itself on; others move nothing. */
  move({ table, op, new: now, old, key, oversize }: Change): void {
    if (table !== this.#of.table) return
    if (!this.#moved) this.#rows = new Map(this.#rows)
    this.#moved = true
    this.#entries = null
    if (op === 'truncate') this.#rows.clear()
    const before = idOf(old) ?? (oversize ? idOf(key) : null)
    if (before !== null && before !== idOf(now)) this.#rows.delete(before)
    if (now !== null) put(this.#rows, this.#of, now)
  }

  /** The page has passed: what moved the book stays. */
  keep(): void {
    if (!this.#moved) return
    this.#moved = false
    this.#keep(this.#rows)
  }
}

type Known<Entry> = Map<string, { version: number; row: Row; entry: Entry | null }>

function put<Entry>(known: Known<Entry>, { read }: BookOf<Entry>, row: Row): void {
  const id = idOf(row)
  if (id === null) return
  const version = typeof row.version === 'number' ? row.version : 0
  const older = known.get(id)
  if (older && older.version > version) return
  known.set(id, { version, row, entry: read(row) })
}

function idOf(row: Row | null): string | null {
  const id = row?.id
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null
}
