/**
 * The bytes of a request's body. Must hold: of a body no more than `maxBytes` is ever held,
 * whatever its length was declared as, and nobody waits for one that does not come.
 */
export type ArrivedBody =
  | { kind: 'whole'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'too_large' }
  | { kind: 'too_slow' }
  | { kind: 'broken_off' }

/** Of a body, from its first byte to its last. */
export const ARRIVAL_MS = 30_000

/** Waits at most ARRIVAL_MS. */
export async function arrivingBody(request: Request, maxBytes: number): Promise<ArrivedBody> {
  const overdue = new AbortController()
  const timer = setTimeout(() => overdue.abort(), ARRIVAL_MS)
  try {
    return await readBody(request, maxBytes, overdue.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** Of a body that is not wanted: nobody waits for the rest of it, or for whether it can be stopped. */
export function dropBody({ body }: Request): void {
  body?.cancel().catch(() => undefined)
}

/** @param overdue aborted when the body has had its time */
export async function readBody(
  request: Request,
  maxBytes: number,
  overdue: AbortSignal,
): Promise<ArrivedBody> {
  if (!request.body) return { kind: 'whole', bytes: new Uint8Array() }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) {
    dropBody(request)
    return { kind: 'too_large' }
  }
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  const late = new Promise<'late'>((resolve) => {
    overdue.addEventListener('abort', () => resolve('late'), { once: true })
  })
  const giveUp = (kind: 'too_large' | 'too_slow'): ArrivedBody => {
    reader.cancel().catch(() => undefined)
    return { kind }
  }
  try {
    while (true) {
      const read = await Promise.race([reader.read(), late])
      if (read === 'late') return giveUp('too_slow')
      if (read.done) break
      length += read.value.byteLength
      if (length > maxBytes) return giveUp('too_large')
      chunks.push(read.value)
    }
  } catch {
    return { kind: 'broken_off' }
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return { kind: 'whole', bytes }
}
