import type { Context } from 'hono'
import { verify } from 'hono/jwt'
import type { Env } from '../env.ts'
import { bearerOf } from './bearer.ts'

/**
 * Who a user is: a JSON Web Token, signed by whoever signs users in, with HS256 and `AUTH_SECRET`
 * (or, while that is rotated, `AUTH_SECRET_PREVIOUS`). `sub` is `users.id`, `exp` must be there.
 *
 * Must hold: the algorithm is ours to say and not the token's, and nothing of a token is believed
 * before its signature is. Without a secret nobody is a user.
 */
export type Asker =
  | { kind: 'user'; id: string }
  | { kind: 'nobody'; why: string }
  | { kind: 'not_configured' }

type Secrets = Pick<Env, 'AUTH_SECRET' | 'AUTH_SECRET_PREVIOUS'>
type Claims = { readonly [name: string]: unknown }

/** By how much the clock of whoever signs may be ahead of ours. */
const SKEW_S = 60
/** Of `users.id`, a bigint. */
const MOST_ID = 2n ** 63n - 1n

/** Who asks, by the header `Authorization: Bearer <token>`. */
export async function askerOf<E extends { Bindings: Env }>(c: Context<E>): Promise<Asker> {
  if (!c.env.AUTH_SECRET) return { kind: 'not_configured' }
  const token = bearerOf(c)
  if (token === null) return nobody('Send the header "Authorization: Bearer <token of a user>".')
  const claims = await claimsOf(c.env, token)
  return claims === null
    ? nobody('The token is not one of ours: sign it with HS256 and the AUTH_SECRET.')
    : askerBy(claims, Date.now() / 1000)
}

/** Whether it is a user's token, be it expired or not yet good. */
export async function isUserToken(secrets: Secrets, token: string): Promise<boolean> {
  return secrets.AUTH_SECRET ? (await claimsOf(secrets, token)) !== null : false
}

/** @param now in seconds since 1970 */
export function askerBy({ sub, exp, nbf, iat }: Claims, now: number): Asker {
  if (!isTime(exp)) return nobody('The token has no "exp": sign one that expires.')
  if (exp <= now) return nobody('The token has expired: sign in again.')
  for (const [name, begins] of [
    ['nbf', nbf],
    ['iat', iat],
  ])
    if (begins !== undefined && !(isTime(begins) && begins <= now + SKEW_S))
      return nobody(`The token’s "${name}" lies ahead: set the clock of whoever signs it.`)
  const id = idOf(sub)
  return id === null ? nobody('The token’s "sub" is not the id of a user.') : { kind: 'user', id }
}

/** @returns what it says, whatever its times; null if no secret of ours has signed it */
async function claimsOf(
  { AUTH_SECRET, AUTH_SECRET_PREVIOUS }: Secrets,
  token: string,
): Promise<Claims | null> {
  for (const secret of [AUTH_SECRET, AUTH_SECRET_PREVIOUS]) {
    if (!secret) continue
    try {
      const times = { exp: false, nbf: false, iat: false }
      const claims: unknown = await verify(token, await keyOf(secret), { alg: 'HS256', ...times })
      return typeof claims === 'object' && claims !== null ? { ...claims } : {}
    } catch {
      // Another secret may have signed it.
    }
  }
  return null
}

/** A key and not its text, which hono/jwt would read as a PEM if it holds the word PUBLIC. */
function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret)
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

function idOf(sub: unknown): string | null {
  const text = Number.isSafeInteger(sub) ? String(sub) : sub
  return typeof text === 'string' && /^[1-9]\d{0,18}$/.test(text) && BigInt(text) <= MOST_ID
    ? text
    : null
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function nobody(why: string): Asker {
  return { kind: 'nobody', why }
}
