import type { Env } from '../env.ts'
import { type Principal, SCOPE } from './principal.ts'

/**
 * Whoever sends no credentials. Must hold: the setting may open what there is to read, and the
 * orders; nobody is an admin without saying who they are.
 */
export function anyoneOf({ ANONYMOUS_SCOPES = '' }: Pick<Env, 'ANONYMOUS_SCOPES'>): Principal {
  const scopes = scopesOf(ANONYMOUS_SCOPES).filter((scope) => scope !== 'admin')
  return { ...nobody, scopes }
}

/** Whose credential is none. */
export const nobody: Principal = {
  name: 'anyone',
  kind: 'anyone',
  user: null,
  scopes: [],
  expiresAt: null,
  issuedAt: null,
}

/** Those that are scopes of ours, each once. @param said text with spaces, or a list */
export function scopesOf(said: unknown): string[] {
  const each: readonly unknown[] = typeof said === 'string' ? said.split(/\s+/) : listOf(said)
  const scopes = each.filter((scope) => typeof scope === 'string' && SCOPE.test(scope))
  return [...new Set(scopes as string[])]
}

function listOf(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? said : []
}
