import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

/** So long what was read is taken for what is. */
const FRESH_MS = 600_000
/** And so long if nothing newer can be had: then a key that was withdrawn is good no more. */
const BELIEVED_MS = 3_600_000
/** One read in so long, however many tokens name a key that is not there. */
const APART_MS = 30_000
/** After a read that failed, while there are no keys at all. */
const FAILED_APART_MS = 5_000

/** Nobody can say just now which keys are good. */
export class KeySetUnknown extends Error {
  override readonly name = 'KeySetUnknown'
}

/**
 * The keys that an identity provider signs with, as one isolate remembers them.
 *
 * The provider is authoritative. Must hold: a key signs for its own algorithm only, and no key
 * comes from a token; whoever sends tokens that cannot be good does not have the provider asked
 * more often. Requests do not wait for one another's reads, for a request cannot await what another
 * one began.
 * On failure the last copy is believed for an hour; without one it throws KeySetUnknown, and nobody
 * is let in.
 */
export class KeySet {
  readonly #read: () => Promise<JSONWebKeySet>
  readonly #now: () => number
  #keys: { find: JWTVerifyGetKey; at: number } | null = null
  #triedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY

  /** @param now milliseconds since 1970 */
  constructor(read: () => Promise<JSONWebKeySet>, now: () => number) {
    this.#read = read
    this.#now = now
  }

  /**
   * The key that is to have signed a token, for `jwtVerify`.
   * @throws KeySetUnknown; what jose throws of a token that no key fits
   */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      return await (await this.#known(FRESH_MS))(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      // It may be a new one.
      return (await this.#known(APART_MS))(header, token)
    }
  }

  /** @param youngerThanMs how old they may be, if they can be read again */
  async #known(youngerThanMs: number): Promise<JWTVerifyGetKey> {
    const now = this.#now()
    const age = this.#keys === null ? Number.POSITIVE_INFINITY : now - this.#keys.at
    const isBelieved = age >= 0 && age < BELIEVED_MS
    if (this.#keys && age >= 0 && age < youngerThanMs) return this.#keys.find
    // While there is nothing to believe, whoever comes reads for themselves.
    const [last, apartMs] = isBelieved
      ? [this.#triedAt, APART_MS]
      : [this.#failedAt, FAILED_APART_MS]
    if (now >= last && now - last < apartMs)
      return this.#believed(isBelieved, 'It could not be read a moment ago.')
    this.#triedAt = now
    try {
      this.#keys = { find: createLocalJWKSet(await this.#read()), at: now }
      return this.#keys.find
    } catch (error) {
      this.#failedAt = now
      console.warn(
        JSON.stringify({ message: 'the key set could not be read', error: String(error) }),
      )
      return this.#believed(isBelieved, String(error))
    }
  }

  #believed(isBelieved: boolean, why: string): JWTVerifyGetKey {
    if (this.#keys && isBelieved) return this.#keys.find
    throw new KeySetUnknown(why)
  }
}
