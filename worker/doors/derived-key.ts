type Key = ReturnType<typeof derive>

/** By label and secret, of which a worker has two at most. */
const keys = new Map<string, Key>()

/**
 * A key for HMAC-SHA-256 that is good for nothing but what the label says, made of a secret that
 * serves several ends (HKDF, RFC 5869).
 */
export function derivedKey(secret: string, label: string): Key {
  const name = JSON.stringify([label, secret])
  const key = keys.get(name) ?? derive(secret, label)
  keys.set(name, key)
  return key
}

async function derive(secret: string, label: string) {
  const encoder = new TextEncoder()
  const material = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, [
    'deriveKey',
  ])
  const salt = new Uint8Array()
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt, info: encoder.encode(label) }
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return crypto.subtle.deriveKey(hkdf, material, hmac, false, ['sign', 'verify'])
}
