import { base64url } from '../doors/base64url.ts'
import { derivedKey } from '../doors/derived-key.ts'

/**
 * A cursor's text: base64url of JSON, and our seal on it. Callers pass it back as it is; nothing in
 * it is secret. Must hold: what does not bear the seal is not read (P103). The key is derived from
 * LINK_SECRET and good for nothing else; one that is made of the secret before is good as long as
 * that stands beside it.
 */
export type CursorSecrets = { LINK_SECRET: string; LINK_SECRET_PREVIOUS?: string }

/** The `detail` of the problem `invalid_cursor`. */
export const NOT_OURS = 'Take next_cursor of the page before as it is, or begin without one.'

export async function toOpaque({ LINK_SECRET }: CursorSecrets, value: unknown): Promise<string> {
  const text = base64url(new TextEncoder().encode(JSON.stringify(value)))
  const seal = await crypto.subtle.sign('HMAC', await keyOf(LINK_SECRET), sealed(text))
  return text + base64url(new Uint8Array(seal))
}

/** @returns what stands in it; null if it is not one of ours */
export async function fromOpaque(
  { LINK_SECRET, LINK_SECRET_PREVIOUS }: CursorSecrets,
  cursor: string,
): Promise<unknown> {
  const text = cursor.slice(0, -SEAL_CHARACTERS)
  const seal = fromBase64Url(cursor.slice(-SEAL_CHARACTERS))
  if (cursor.length > MAX_CHARACTERS || seal === null || !cursor.endsWith(base64url(seal)))
    return null
  for (const secret of [LINK_SECRET, LINK_SECRET_PREVIOUS])
    if (secret && (await crypto.subtle.verify('HMAC', await keyOf(secret), seal, sealed(text))))
      return JSON.parse(new TextDecoder().decode(fromBase64Url(text) ?? new Uint8Array()))
  return null
}

/** Of 256 bits. */
const SEAL_CHARACTERS = 43
/** None of ours is nearly as long; nothing is computed over what is. */
const MAX_CHARACTERS = 16_384

/** The seal is on the characters, of which another spelling would be another cursor. */
function sealed(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function keyOf(secret: string) {
  return derivedKey(secret, 'belfry cursor')
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) return null
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

/** Postgres takes neither NUL nor half a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
