/** Gives a deflated message back as text. */
export type Inflate = (deflated: ArrayBuffer) => Promise<string>

/**
 * The messages of one socket in the order in which they came, the deflated ones as text. While
 * none is being inflated a message is handed on at once. What cannot be inflated is handed on as
 * it is, for the reader to refuse.
 * @param inflate null where there is none: everything is handed on as it is
 * @param hear called with each, and its bytes on the wire
 */
export function arrivals(inflate: Inflate | null, hear: (message: unknown, bytes: number) => void) {
  let last: Promise<void> | null = null
  return (data: unknown): void => {
    const isDeflated = inflate !== null && data instanceof ArrayBuffer
    const bytes = isDeflated ? data.byteLength : encoder.encode(String(data)).length
    if (!isDeflated && last === null) return hear(data, bytes)
    const text = isDeflated ? inflate(data).catch(() => data) : data
    const mine = Promise.all([text, last]).then(([message]) => {
      if (last === mine) last = null
      hear(message, bytes)
    })
    last = mine
  }
}

/** Where the runtime can: every browser since 2023, and Node. */
export const inflater: Inflate | null =
  typeof DecompressionStream === 'undefined'
    ? null
    : (deflated) => {
        const inflating = new DecompressionStream('deflate-raw')
        return new Response(new Blob([deflated]).stream().pipeThrough(inflating)).text()
      }

const encoder = new TextEncoder()
