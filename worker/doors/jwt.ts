import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Env } from '../env.ts'
import type { Denied } from './credential.ts'
import { type Claims, claimFaults, EXPIRED, readClaims, SKEW_S } from './jwt-claims.ts'
import { KeySetUnknown } from './key-set.ts'
import { userOfSubject } from './keyring-book.ts'
import type { Principal } from './principal.ts'
import { keySetAt } from './read-key-set.ts'

/**
 * A JSON Web Token, by whoever signs people in: with a secret that we share, or with a key of their
 * key set.
 *
 * Must hold: the algorithm is ours to say and not the token's. A secret proves HS256 and nothing
 * else, a key set what two keys are needed for and nothing else; so a key that everyone knows is
 * never taken for a secret. Nothing of a token is believed before its signature is. A key set signs
 * for many systems: its tokens must name their issuer and us.
 */
const OF_SECRETS = ['HS256']
const OF_KEY_SETS = ['RS256', 'PS256', 'ES256', 'EdDSA']
/** Of `users.id`, a bigint. */
const MOST_ID = 2n ** 63n - 1n

/**
 * @param now milliseconds since 1970
 * @throws KeyringUnknown
 */
export async function verifyJwt(env: Env, token: string, now: number): Promise<Principal | Denied> {
  const { AUTH_SECRET, AUTH_JWKS_URL } = env
  if (!AUTH_SECRET && !AUTH_JWKS_URL) return notConfigured(NOBODY_SIGNS)
  const algorithm = algorithmOf(token)
  if (AUTH_SECRET && OF_SECRETS.includes(algorithm)) return bySecret(env, token, now)
  if (AUTH_JWKS_URL && OF_KEY_SETS.includes(algorithm))
    return byKeySet(env, AUTH_JWKS_URL, token, now)
  return denied(NOT_OURS)
}

async function bySecret(env: Env, token: string, now: number): Promise<Principal | Denied> {
  const options = optionsOf(env, OF_SECRETS, now)
  for (const secret of [env.AUTH_SECRET, env.AUTH_SECRET_PREVIOUS]) {
    if (!secret) continue
    try {
      const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), options)
      const claims = claimsOf(env, payload, now)
      return 'denied' in claims ? claims : principalOf(claims, userId(claims.subject))
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return denied(faultOf(error))
    }
  }
  return denied(NOT_OURS)
}

async function byKeySet(
  env: Env,
  address: string,
  token: string,
  now: number,
): Promise<Principal | Denied> {
  if (!env.AUTH_ISSUER || !env.AUTH_AUDIENCE) return notConfigured(NO_AUDIENCE)
  const keys = keySetAt(address)
  if (keys === null) return notConfigured(NO_HTTPS)
  const options = optionsOf(env, OF_KEY_SETS, now)
  const claims = await jwtVerify(token, keys.keyOf, options).then(
    ({ payload }) => claimsOf(env, payload, now),
    (error) => (error instanceof KeySetUnknown ? keysUnknown : denied(faultOf(error))),
  )
  return 'denied' in claims ? claims : principalOf(claims, await userOfSubject(env, claims.subject))
}

function optionsOf({ AUTH_ISSUER, AUTH_AUDIENCE }: Env, algorithms: string[], now: number) {
  return {
    algorithms,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: SKEW_S,
    currentDate: new Date(now),
    ...(AUTH_ISSUER && { issuer: AUTH_ISSUER }),
    ...(AUTH_AUDIENCE && { audience: AUTH_AUDIENCE }),
  }
}

function claimsOf(env: Env, payload: JWTPayload, now: number): Claims | Denied {
  const claims = readClaims(payload, env.AUTH_SCOPE_CLAIM || 'scope', now)
  return typeof claims === 'string' ? denied(claims) : claims
}

function principalOf({ subject, ...claims }: Claims, user: string | null): Principal {
  return user === null
    ? { name: `token:${subject}`, kind: 'token', user, ...claims }
    : { name: `user:${user}`, kind: 'user', user, ...claims }
}

function userId(subject: string): string | null {
  return /^[1-9]\d{0,18}$/.test(subject) && BigInt(subject) <= MOST_ID ? subject : null
}

/** What it says of itself, which decides no more than who is asked to prove it. */
function algorithmOf(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? ''
  } catch {
    return ''
  }
}

const NOT_OURS =
  'The token is not one of ours: it must be signed with the AUTH_SECRET and HS256, or by a key of the key set at AUTH_JWKS_URL.'
const NOBODY_SIGNS = 'Nobody can sign in: set the secret AUTH_SECRET, or AUTH_JWKS_URL.'
const NO_AUDIENCE = 'With AUTH_JWKS_URL, set AUTH_ISSUER and AUTH_AUDIENCE too.'
const NO_HTTPS = 'AUTH_JWKS_URL must be an https address.'
const keysUnknown: Denied = {
  denied: 'sign_in_unavailable',
  why: 'The key set at AUTH_JWKS_URL cannot be read just now: try again in a few seconds.',
}

function faultOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return EXPIRED
  if (error instanceof errors.JWTClaimValidationFailed && Object.hasOwn(claimFaults, error.claim))
    return claimFaults[error.claim as keyof typeof claimFaults]
  // A key of the set that is too weak, or is none, throws what it likes.
  return NOT_OURS
}

function denied(why: string): Denied {
  return { denied: 'unauthorized', why }
}

function notConfigured(why: string): Denied {
  return { denied: 'not_configured', why }
}
