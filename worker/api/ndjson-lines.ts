/**
 * The lines of a stream of NDJSON, of which no more than one is ever held. Numbers are those of an
 * editor: from 1, empty lines counted. What cannot be a line's text is said in its place.
 */
export type Line = { number: number } & ({ ok: true; text: string } | { ok: false; why: string })

export const MAX_LINE_BYTES = 16 * 1024
const LINE_FEED = 0x0a

/** Lines with nothing in them are left out. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const held = new HeldLine()
  let number = 1
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      held.add(chunk.subarray(from, end))
      const line = held.take(number++)
      if (line) yield line
      from = end + 1
    }
    held.add(chunk.subarray(from))
  }
  const last = held.take(number)
  if (last) yield last
}

class HeldLine {
  readonly #bytes = new Uint8Array(MAX_LINE_BYTES)
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  #length = 0

  add(bytes: Uint8Array): void {
    if (this.#length + bytes.length <= MAX_LINE_BYTES) this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** @returns null if there is nothing in it */
  take(number: number): Line | null {
    const length = this.#length
    this.#length = 0
    if (length > MAX_LINE_BYTES)
      return { number, ok: false, why: `The line is longer than ${MAX_LINE_BYTES} bytes.` }
    try {
      const text = this.#decoder.decode(this.#bytes.subarray(0, length)).trim()
      return text === '' ? null : { number, ok: true, text }
    } catch {
      return { number, ok: false, why: 'The line is not UTF-8.' }
    }
  }
}
