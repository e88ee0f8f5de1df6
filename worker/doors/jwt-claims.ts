import type { JWTPayload } from 'jose'
import { scopesOf } from './anyone.ts'

/**
 * What a token whose signature is good says. Must hold: nothing is good past its end, and nothing
 * before its beginning but for what two clocks may differ by.
 */
export type Claims = {
  subject: string
  scopes: string[]
  /** Milliseconds since 1970, both. */
  expiresAt: number
  issuedAt: number
}

/** By how much the clock of whoever signs may be ahead of ours. */
export const SKEW_S = 60
const MAX_SUBJECT = 255
const MAX_SCOPES = 50
/** The last instant that a Date can tell. */
const MOST_MS = 8.64e15

export const EXPIRED = 'The token has expired: sign in again.'

/** What is wrong with a claim, and what to do. */
export const claimFaults = {
  exp: 'The token has no "exp" that is a time: sign one that expires.',
  nbf: 'The token’s "nbf" lies ahead: set the clock of whoever signs it.',
  iat: 'The token’s "iat" is no time, or lies ahead: set the clock of whoever signs it.',
  sub: `The token’s "sub" must be a text of 1 to ${MAX_SUBJECT} characters.`,
  iss: 'The token’s "iss" is not the AUTH_ISSUER: it was made for another system.',
  aud: 'The token’s "aud" is not the AUTH_AUDIENCE: it was made for another system.',
}

/**
 * @param scopeClaim its name
 * @param now milliseconds since 1970
 * @returns or why it is not believed
 */
export function readClaims(payload: JWTPayload, scopeClaim: string, now: number): Claims | string {
  const { sub, exp, iat = 0 } = payload
  if (!isTime(exp)) return claimFaults.exp
  if (exp * 1000 <= now) return EXPIRED
  if (!isTime(iat) || iat * 1000 > now + SKEW_S * 1000) return claimFaults.iat
  const subject = subjectOf(sub)
  if (subject === null) return claimFaults.sub
  const scopes = scopesOf(Object.hasOwn(payload, scopeClaim) ? payload[scopeClaim] : undefined)
  if (scopes.length > MAX_SCOPES)
    return `The token has more than ${MAX_SCOPES} scopes: sign one with fewer.`
  return { subject, scopes, expiresAt: Math.min(exp * 1000, MOST_MS), issuedAt: iat * 1000 }
}

/** Whole numbers are taken, because ids are. */
function subjectOf(sub: unknown): string | null {
  const text = Number.isSafeInteger(sub) ? String(sub) : sub
  const isText = typeof text === 'string' && text.length <= MAX_SUBJECT
  return isText && /^[^\p{C}]+$/u.test(text) ? text : null
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
