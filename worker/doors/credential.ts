import { timingSafeEqual } from 'hono/utils/buffer'
import type { ProblemCode } from '../../protocol/problems.ts'
import type { Env } from '../env.ts'
import { scopesOf } from './anyone.ts'
import { hashOfKey } from './api-key.ts'
import { verifyJwt } from './jwt.ts'
import { bookOf, isRevoked, KeyringUnknown, keyOfHash } from './keyring-book.ts'
import type { Principal } from './principal.ts'

/**
 * What somebody shows at a door, and who they are by it: `ADMIN_TOKEN`, an API key, or a JSON Web
 * Token. Must hold: nothing that it says is believed before it is proven; without the settings that
 * prove it nobody is let in.
 */
export type Denied = {
  denied: Extract<
    ProblemCode,
    'unauthorized' | 'not_configured' | 'sign_in_unavailable' | 'database_unavailable'
  >
  /** For people: what is wrong, and what to do. */
  why: string
}

/** Longer ones are refused unread. */
const MAX_CHARACTERS = 8_192

/** @param now milliseconds since 1970 */
export async function verifyCredential(
  env: Env,
  credential: string,
  now = Date.now(),
): Promise<Principal | Denied> {
  if (credential.length > MAX_CHARACTERS)
    return { denied: 'unauthorized', why: `A token has at most ${MAX_CHARACTERS} characters.` }
  if (await isAdminToken(env, credential)) return operator
  try {
    if (isApiKey(credential)) return await byKey(env, credential, now)
    if (!isJwt(credential)) return notOurs
    const bearer = await verifyJwt(env, credential, now)
    if ('denied' in bearer) return bearer
    return isRevoked(await bookOf(env), bearer) ? revoked : bearer
  } catch (error) {
    if (error instanceof KeyringUnknown) return keyringUnknown
    throw error
  }
}

async function byKey(env: Env, credential: string, now: number): Promise<Principal | Denied> {
  const key = await keyOfHash(env, await hashOfKey(credential))
  if (key === null) return notOurs
  const { id, expiresAt } = key
  if (expiresAt !== null && expiresAt <= now) return expired
  const principal: Principal = {
    name: `key:${id}`,
    kind: 'key',
    user: null,
    scopes: scopesOf(key.scopes),
    expiresAt,
    issuedAt: null,
  }
  return isRevoked(await bookOf(env), principal) ? revoked : principal
}

function isApiKey(credential: string): boolean {
  return /^belfry_[\w-]{43}$/.test(credential)
}

const notOurs: Denied = {
  denied: 'unauthorized',
  why: 'That is no token and no key of ours. Look at how it was copied, or ask for another one.',
}
const expired: Denied = {
  denied: 'unauthorized',
  why: 'The key has expired: ask whoever runs this for another one.',
}
const revoked: Denied = {
  denied: 'unauthorized',
  why: 'This was revoked: sign in again, or ask whoever runs this for another key.',
}
/** Without the database, and without a copy of what it knows. */
export const keyringUnknown: Denied = {
  denied: 'database_unavailable',
  why: 'Nobody can say just now whether this was revoked: try again in a few seconds.',
}

const operator: Principal = {
  name: 'operator',
  kind: 'operator',
  user: null,
  scopes: ['admin'],
  expiresAt: null,
  issuedAt: null,
}

async function isAdminToken(env: Env, credential: string): Promise<boolean> {
  const { ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS } = env
  let isOurs = false
  for (const token of [ADMIN_TOKEN, ADMIN_TOKEN_PREVIOUS])
    if (token && (await timingSafeEqual(credential, token))) isOurs = true
  return isOurs
}

/** Three parts, the last of which may be missing: an unsigned one is to be refused as a token. */
function isJwt(credential: string): boolean {
  return /^[\w-]+\.[\w-]*\.[\w-]*$/.test(credential)
}
