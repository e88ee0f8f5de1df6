import { isStorable } from './opaque.ts'

/**
 * What a notification holds must come out of Postgres, the feed and a browser as it went in. So
 * what one of them would change or refuse is refused here. How deep it may be, json-bytes.ts says.
 */
export const MAX_CONTENT_BYTES = 64 * 1024

type Fault = { path: string[]; message: string }

/** @returns null if there is none; `path` begins in the content */
export function contentFault(content: Record<string, unknown>): Fault | null {
  const waiting: { value: unknown; path: string[] }[] = [{ value: content, path: [] }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path } = next
    const message = faultOf(value)
    if (message !== null) return { path, message }
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorable(key)) return { path, message: `${UNSTORABLE}, nor may its names` }
      waiting.push({ value: inner, path: [...path, key] })
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(content)).length
  return bytes > MAX_CONTENT_BYTES
    ? { path: [], message: `must be at most ${MAX_CONTENT_BYTES} bytes as JSON, and is ${bytes}` }
    : null
}

const UNSTORABLE = 'must hold neither NUL nor half a surrogate pair'

function faultOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? null : UNSTORABLE
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? null
        : 'must be a number that loses no digits, up to 9007199254740991; send a greater one as text'
    default:
      return null
  }
}
