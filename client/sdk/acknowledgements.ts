import { ACK_WITHIN } from '../../protocol/acknowledgement.ts'

/**
 * When to tell the server how far we are: often enough that it is never left waiting, and no
 * more often, since each telling wakes it. One who hears little says nothing at all.
 */
export class Acknowledgements {
  readonly #everyBytes: number
  #bytes: number

  /**
   * For one socket, from its `hello` on.
   * @param window what `hello` said; undefined if the server does not ask for them
   * @param random in [0, 1): a thousand who hear the same do not all tell at once
   */
  constructor(window: number | undefined, random: number) {
    this.#everyBytes = window === undefined ? Number.POSITIVE_INFINITY : window * ACK_WITHIN
    this.#bytes = window === undefined ? 0 : (random * this.#everyBytes) / 2
  }

  /**
   * A frame was taken in.
   * @param bytes on the wire
   * @returns whether it is time to say so
   */
  isDue(bytes: number): boolean {
    this.#bytes += bytes
    if (this.#bytes < this.#everyBytes) return false
    this.#bytes = 0
    return true
  }
}
