import { timingSafeEqual } from 'hono/utils/buffer'
import type { Env } from '../env.ts'
import { base64url } from './base64url.ts'
import { derivedKey } from './derived-key.ts'

/**
 * The worker's mark on a ticket. The Doorkeeper knows which tickets are good; but whoever shows one
 * has shown nothing yet, and an object that is asked is woken. So one that does not bear this is
 * refused without asking.
 */
type Secrets = Pick<Env, 'LINK_SECRET' | 'LINK_SECRET_PREVIOUS'>

/** 128 bits of an HMAC. */
const SEAL_BYTES = 16
const SEAL_CHARACTERS = 22

export async function sealTicket({ LINK_SECRET }: Secrets, ticket: string): Promise<string> {
  return ticket + (await sealOf(LINK_SECRET, ticket))
}

/** @returns the ticket as its object knows it; null if we have not given it out */
export async function unsealTicket(
  { LINK_SECRET, LINK_SECRET_PREVIOUS }: Secrets,
  sealed: string,
): Promise<string | null> {
  const ticket = sealed.slice(0, -SEAL_CHARACTERS)
  const seal = sealed.slice(-SEAL_CHARACTERS)
  for (const secret of [LINK_SECRET, LINK_SECRET_PREVIOUS])
    if (secret && (await timingSafeEqual(seal, await sealOf(secret, ticket)))) return ticket
  return null
}

async function sealOf(secret: string, ticket: string): Promise<string> {
  const key = await derivedKey(secret, 'belfry ticket')
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(ticket))
  return base64url(new Uint8Array(signature, 0, SEAL_BYTES))
}
