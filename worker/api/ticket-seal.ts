import { timingSafeEqual } from 'hono/utils/buffer'
import type { Env } from '../env.ts'

/**
 * The worker's mark on a ticket. The object of the user knows which tickets are good; but whoever
 * shows one has shown nothing yet, and an object that is asked is woken, and made if it was not
 * there. So one that does not bear this is refused without asking.
 */
type Secrets = Pick<Env, 'AUTH_SECRET' | 'AUTH_SECRET_PREVIOUS'>

/** 128 bits of an HMAC. */
const SEAL_BYTES = 16
const SEAL_CHARACTERS = 22

export async function sealTicket(secret: string, ticket: string): Promise<string> {
  return ticket + (await sealOf(secret, ticket))
}

/** @returns the ticket as its object knows it; null if we have not given it out */
export async function unsealTicket(
  { AUTH_SECRET, AUTH_SECRET_PREVIOUS }: Secrets,
  sealed: string,
): Promise<string | null> {
  const ticket = sealed.slice(0, -SEAL_CHARACTERS)
  const seal = sealed.slice(-SEAL_CHARACTERS)
  for (const secret of [AUTH_SECRET, AUTH_SECRET_PREVIOUS])
    if (secret && (await timingSafeEqual(seal, await sealOf(secret, ticket)))) return ticket
  return null
}

async function sealOf(secret: string, ticket: string): Promise<string> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), hmac, false, ['sign'])
  // The same secret signs tokens, of which none holds a colon.
  const signature = await crypto.subtle.sign('HMAC', key, encoder.encode(`ticket:${ticket}`))
  const bytes = new Uint8Array(signature, 0, SEAL_BYTES)
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
