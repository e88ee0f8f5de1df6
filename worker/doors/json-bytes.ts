/**
 * Whether bytes may be given to `JSON.parse`, which follows the grammar strictly, but takes any
 * depth, and is given a text in which bytes that are no UTF-8 have been replaced.
 */

/** Lists and objects within one another. */
export const MAX_DEPTH = 32

/** @returns why not, for people; null if they may */
export function whyNotJson(bytes: Uint8Array): Fault | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return { detail: 'The body begins with a byte order mark. Send it without one.' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { detail: 'The body is not UTF-8. Send it in that encoding.' }
  }
  if (isDeeperThan(text, MAX_DEPTH))
    return { detail: `The body is nested deeper than ${MAX_DEPTH}. Send it flatter.` }
  return hasMember(PROTO, text)
    ? { detail: `${PROTO}: ${UNKNOWN}`, errors: [{ path: PROTO, message: UNKNOWN }] }
    : null
}

export type Fault = { detail: string; errors?: { path: string; message: string }[] }

/** Where objects are copied, a member of that name would be dropped without a word. */
const PROTO = '__proto__'
const UNKNOWN = 'is not known here; leave it out'

function hasMember(wanted: string, text: string): boolean {
  if (!text.includes(wanted) && !text.includes('\\u')) return false
  let found = false
  try {
    JSON.parse(text, (name, value: unknown) => {
      found ||= name === wanted
      return value
    })
  } catch {
    // Whoever reads it says that it is no JSON.
  }
  return found
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const opening = new Set([0x5b, 0x7b])
const closing = new Set([0x5d, 0x7d])

/** Of text that is no JSON it may say either. */
function isDeeperThan(text: string, max: number): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isInString) {
      if (code === BACKSLASH) at++
      else if (code === QUOTE) isInString = false
    } else if (code === QUOTE) isInString = true
    else if (opening.has(code)) {
      depth++
      if (depth > max) return true
    } else if (closing.has(code)) depth--
  }
  return false
}
