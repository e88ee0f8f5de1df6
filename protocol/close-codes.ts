/**
 * Why a WebSocket was closed by us: code → name, meaning, and whether to
 * connect again. A browser cannot see an HTTP status on an upgrade, so a
 * refusal too is an accepted socket closed with one of these.
 */
export const closeCodes = {
  going_away: { code: 1001, meaning: 'this server is stopping; connect again', retry: true },
  failed: { code: 1011, meaning: 'something failed on our side; connect again', retry: true },
  bad_request: { code: 4400, meaning: 'the query is wrong; the reason says how', retry: false },
  unauthorized: {
    code: 4401,
    meaning: 'the signature or the token is missing, wrong or too old',
    retry: false,
  },
  bad_frame: {
    code: 4402,
    meaning: 'a frame could not be read; the reason says why',
    retry: false,
  },
  origin_refused: {
    code: 4403,
    meaning: 'pages of that origin may not open a socket here',
    retry: false,
  },
  too_slow: {
    code: 4408,
    meaning: 'you did not read fast enough; connect again from your position',
    retry: true,
  },
  fenced: { code: 4409, meaning: 'a later term has been seen: you lead no more', retry: true },
  other_source: {
    code: 4410,
    meaning: 'this feed holds the log of another database',
    retry: false,
  },
  rate_limited: { code: 4429, meaning: 'too many requests; connect again later', retry: true },
} as const

export type CloseName = keyof typeof closeCodes

const byCode = new Map<number, CloseName>(
  (Object.keys(closeCodes) as CloseName[]).map((name) => [closeCodes[name].code, name]),
)

/** @returns null for a code that is not ours: the network's, a proxy's, the browser's */
export function closeName(code: number): CloseName | null {
  return byCode.get(code) ?? null
}

const REASON_BYTES = 123

/** As much of a text as a close reason holds: 123 bytes of UTF-8. More would make `close` throw. */
export function closeReason(text: string): string {
  const encoder = new TextEncoder()
  if (encoder.encode(text).length <= REASON_BYTES) return text
  const ellipsis = '…'
  const room = new Uint8Array(REASON_BYTES - encoder.encode(ellipsis).length)
  return text.slice(0, encoder.encodeInto(text, room).read) + ellipsis
}
