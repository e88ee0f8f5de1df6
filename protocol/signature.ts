/**
 * The link's signature: HMAC-SHA256 over time and nonce with a secret that both
 * ends hold, in the header `Authorization: Belfry t=<unix seconds>,n=<nonce>,v=<hex>`.
 * The receiver accepts any of several secrets, so that one can be rotated, and a
 * clock that is up to five minutes off.
 */

export const MAX_SKEW_MS = 5 * 60_000

export type Verdict =
  | { ok: true; nonce: string; signedAt: number }
  | { ok: false; reason: 'missing' | 'malformed' | 'expired' | 'wrong' }

/** @returns the value of the Authorization header */
export async function signLink(secret: string, now: number, nonce: string): Promise<string> {
  const time = Math.floor(now / 1000)
  const mac = await crypto.subtle.sign('HMAC', await hmacKey(secret), message(time, nonce))
  return `Belfry t=${time},n=${nonce},v=${hex(mac)}`
}

/** @param secrets those in force, empty ones are ignored */
export async function verifyLink(
  header: string | null,
  secrets: readonly (string | undefined)[],
  now: number,
): Promise<Verdict> {
  if (!header) return { ok: false, reason: 'missing' }
  const match = /^Belfry t=(\d{1,12}),n=([\w-]{16,64}),v=([0-9a-f]{64})$/.exec(header)
  if (!match) return { ok: false, reason: 'malformed' }
  const [time, nonce, mac] = [Number(match[1]), match[2] as string, unhex(match[3] as string)]
  if (Math.abs(now - time * 1000) > MAX_SKEW_MS) return { ok: false, reason: 'expired' }
  for (const secret of secrets) {
    // subtle.verify compares in constant time.
    if (
      secret &&
      (await crypto.subtle.verify('HMAC', await hmacKey(secret), mac, message(time, nonce)))
    )
      return { ok: true, nonce, signedAt: time * 1000 }
  }
  return { ok: false, reason: 'wrong' }
}

function message(time: number, nonce: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`belfry link\n${time}\n${nonce}`))
}

function hmacKey(secret: string) {
  const raw = new TextEncoder().encode(secret)
  return crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function unhex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
