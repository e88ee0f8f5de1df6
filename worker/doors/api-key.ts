import { base64url } from './base64url.ts'

/** An API key: `belfry_` and 256 bits in base64url. Whoever guesses has nothing else to go by. */
const RANDOM_BYTES = 32

export function newApiKey(): string {
  return `belfry_${base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))}`
}

/** As the keyring has it: SHA-256, in hex. */
export async function hashOfKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
