import type { Copy, Item } from './copy.ts'

/**
 * The copy at rest: its items one by one, and the rest of it in one row. There are no tables before
 * there is a copy: most users may never read.
 */
export class CopyRecord {
  readonly #storage: DurableObjectStorage
  #copy: Copy | null | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** null while nobody has read this inbox. */
  get copy(): Copy | null {
    if (this.#copy === undefined) this.#copy = this.#read()
    return this.#copy
  }

  /** In one transaction, and of the items only those that are others now. */
  save(copy: Copy): void {
    const before = this.copy
    if (before === copy) return
    const { items, ...rest } = copy
    this.#storage.transactionSync(() => {
      const { sql } = this.#storage
      if (before === null) sql.exec(SCHEMA)
      const old = before?.epoch === copy.epoch ? before.items : NO_ITEMS
      if (old === NO_ITEMS) sql.exec('DELETE FROM items')
      for (const item of items.values())
        if (old.get(item.id) !== item)
          sql.exec(
            'INSERT OR REPLACE INTO items VALUES (?, ?)',
            item.id,
            JSON.stringify(item satisfies Item),
          )
      for (const id of old.keys())
        if (!items.has(id)) sql.exec('DELETE FROM items WHERE id = ?', id)
      sql.exec('INSERT OR REPLACE INTO copy VALUES (1, ?)', JSON.stringify(rest))
    })
    this.#copy = copy
  }

  /** All that was stored is deleted. */
  forget(): void {
    this.#copy = null
  }

  #read(): Copy | null {
    const { sql } = this.#storage
    if (!hasTable(sql, 'copy')) return null
    const [row] = sql.exec<{ rest: string }>('SELECT rest FROM copy').toArray()
    if (!row) return null
    const items = new Map<number, Item>()
    for (const { item } of sql.exec<{ item: string }>('SELECT item FROM items')) {
      const read = JSON.parse(item) as Item
      items.set(read.id, read)
    }
    return { ...(JSON.parse(row.rest) as Omit<Copy, 'items'>), items }
  }
}

/** @param name of a table of our own */
export function hasTable(sql: SqlStorage, name: string): boolean {
  const found = sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name)
  return found.toArray().length > 0
}

const NO_ITEMS: ReadonlyMap<number, Item> = new Map()

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, item TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS copy (one INTEGER PRIMARY KEY CHECK (one = 1), rest TEXT NOT NULL);
`
