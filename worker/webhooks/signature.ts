/**
 * Standard Webhooks: what a receiver checks. Each secret that is in force gives a signature, so
 * that a receiver who still has the one before, or has the new one already, finds its own.
 */
export type Message = {
  /** The same however often it is sent: by it a receiver drops what it has had. */
  id: string
  body: string
}

/** @param secrets `whsec_…` */
export async function signedHeaders(
  { id, body }: Message,
  secrets: readonly string[],
  now: number,
): Promise<Record<string, string>> {
  const timestamp = Math.floor(now / 1_000)
  const content = new Uint8Array(new TextEncoder().encode(`${id}.${timestamp}.${body}`))
  const signatures = await Promise.all(secrets.map((secret) => sign(secret, content)))
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}

/** 256 bits, as long as the hash itself. */
export function newSecret(): string {
  return PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(32)))
}

const PREFIX = 'whsec_'

async function sign(secret: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = fromBase64(secret.slice(PREFIX.length))
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
  return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, content)))}`
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
