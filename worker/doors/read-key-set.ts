import type { JSONWebKeySet } from 'jose'
import { KeySet } from './key-set.ts'

const READ_MS = 5_000
const MAX_BYTES = 256 * 1024

let current: { address: string; keys: KeySet } | null = null

/**
 * The key set at that address, one for all requests that this isolate answers.
 * @returns null if keys may not be had from there: it is no https address
 */
export function keySetAt(address: string): KeySet | null {
  if (!isTrustworthy(address)) return null
  if (current?.address !== address)
    current = {
      address,
      keys: new KeySet(
        () => readKeySet(address),
        () => Date.now(),
      ),
    }
  return current.keys
}

/** Whoever stands on the way to another address could put keys of their own in. */
function isTrustworthy(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isHere)
}

async function readKeySet(address: string): Promise<JSONWebKeySet> {
  const response = await fetch(address, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(READ_MS),
  })
  if (response.status !== 200) throw new Error(`it was answered with ${response.status}`)
  const read: unknown = JSON.parse(await textOf(response))
  if (!isKeySet(read)) throw new Error('that is no key set')
  return read
}

async function textOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let text = ''
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function isKeySet(read: unknown): read is JSONWebKeySet {
  return typeof read === 'object' && read !== null && 'keys' in read && Array.isArray(read.keys)
}
