import { current } from '../current.ts'

type Life = { epoch: string; source: string | null; term: number }
export type RecordsStorage = { life: Life | null; shards: Map<string, number>; nonces: Set<string> }

/** In place of worker/feed/records.ts: the same, without SQL. */
export class Records {
  readonly #storage: RecordsStorage

  constructor(storage: RecordsStorage) {
    this.#storage = storage
    if (storage.life === null) this.beginLife()
  }

  get life(): Life {
    return this.#storage.life as Life
  }

  set life(life: Life) {
    this.#storage.life = life
    current().checker.admitted(life.term)
  }

  beginLife(): Life {
    const epoch = current().checker.beginLife()
    this.#storage.life = { epoch, source: null, term: 0 }
    return this.#storage.life
  }

  get shards(): { name: string; sockets: number }[] {
    return Array.from(this.#storage.shards, ([name, sockets]) => ({ name, sockets }))
  }

  putShard(name: string, sockets: number): void {
    if (sockets === 0) this.#storage.shards.delete(name)
    else this.#storage.shards.set(name, sockets)
  }

  useNonce(nonce: string): boolean {
    const { nonces } = this.#storage
    if (nonces.has(nonce)) return false
    nonces.add(nonce)
    return true
  }
}
