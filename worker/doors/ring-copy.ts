import { sha256Hex } from '../sha256.ts'
import type { Reading, Ring } from './keyring-book.ts'

/** A value of the storage has at most 2 MB; a character at most 3 bytes. */
const PART_CHARACTERS = 500_000

/** The last copy of the keyring, at rest in parts: revocations are kept for ever. */
export class RingCopy {
  readonly #storage: Pick<DurableObjectStorage, 'sql' | 'transactionSync'>
  #now: Reading | null

  constructor(storage: Pick<DurableObjectStorage, 'sql' | 'transactionSync'>) {
    this.#storage = storage
    storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS ring (part INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    )
    const parts = storage.sql
      .exec<{ text: string }>('SELECT text FROM ring ORDER BY part')
      .toArray()
    this.#now = parts.length === 0 ? null : JSON.parse(parts.map(({ text }) => text).join(''))
  }

  /** null: there never was one. */
  get now(): Reading | null {
    return this.#now
  }

  /** @param ring as `belfry.keyring()` prints it */
  async take(ring: string): Promise<void> {
    const version = await sha256Hex(ring)
    if (this.#now?.version === version) return
    const { keys, revoked } = JSON.parse(ring) as Ring
    const reading: Reading = { version, keys, revoked }
    const text = JSON.stringify(reading)
    this.#storage.transactionSync(() => {
      const { sql } = this.#storage
      sql.exec('DELETE FROM ring')
      for (let at = 0, part = 0; at < text.length; at += PART_CHARACTERS, part++)
        sql.exec('INSERT INTO ring VALUES (?, ?)', part, text.slice(at, at + PART_CHARACTERS))
    })
    this.#now = reading
  }
}
