import { sha256Hex } from '../sha256.ts'
import { base64url } from './base64url.ts'

/** An API key: `belfry_` and 256 bits in base64url. Whoever guesses has nothing else to go by. */
const RANDOM_BYTES = 32

export function newApiKey(): string {
  return `belfry_${base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))}`
}

/** As the keyring has it: SHA-256, in hex. */
export function hashOfKey(key: string): Promise<string> {
  return sha256Hex(key)
}
