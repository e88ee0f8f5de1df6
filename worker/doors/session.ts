import type { Scope } from '../../protocol/scope.ts'
import { isAdmin, type Principal, principal, readableTables } from './principal.ts'

/**
 * The session of a socket: who opened it, and until when.
 *
 * The worker is authoritative on who asks, and says so to the object that holds the socket in a
 * header of a request that it makes itself. Must hold: an object opens no socket for a request
 * without it; what a socket may hear is settled when it opens, and a session only ever ends or is
 * made longer by the same principal. The attachment holds as little of it as that takes, for an
 * attachment has 16 KiB.
 */
export const PRINCIPAL_HEADER = 'belfry-principal'

export function writePrincipal(asking: Principal): string {
  return asciiJson(asking)
}

/** As a header carries it, whatever names of people and of tables stand in it. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** @returns null if it is none */
export function parsePrincipal(text: string | null): Principal | null {
  try {
    return principal.parse(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}

/** As an attachment keeps it. Times are milliseconds since 1970, as the principal has them. */
export type Session = Pick<Principal, 'name' | 'expiresAt' | 'issuedAt'>

export function sessionOf({ name, expiresAt, issuedAt }: Principal): Session {
  return { name, expiresAt, issuedAt }
}

/** @returns whether it may go on hearing what a socket was opened for */
export function hearsNoLess(asking: Principal, scope: Scope): boolean {
  switch (scope.kind) {
    case 'operator':
      return isAdmin(asking)
    case 'own':
      return asking.user === scope.value
    case 'tables': {
      const readable = readableTables(asking)
      if (readable === 'every') return true
      return scope.tables !== 'every' && scope.tables.every((table) => readable.has(table))
    }
  }
}

/** A revocation: all of that principal that was issued at or before that time. */
export type Cut = { principal: string; sinceMs: number }

export function isCut({ name, issuedAt }: Pick<Session, 'name' | 'issuedAt'>, cut: Cut): boolean {
  return name === cut.principal && (issuedAt === null || issuedAt <= cut.sinceMs)
}

export function isOver({ expiresAt }: Session, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

/** @returns what `hello` and `refreshed` say; null if it does not end */
export function expiresInMs({ expiresAt }: Session, now: number): number | null {
  return expiresAt === null ? null : Math.max(0, expiresAt - now)
}
