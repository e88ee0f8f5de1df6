import { ownRun } from './address.ts'
import { Failure } from './failure.ts'
import type { Terminal } from './terminal.ts'

/*
 * Law. Who asks is said by the environment: BELFRY_TOKEN is a token or an API key, BELFRY_ADMIN_TOKEN
 * the worker's ADMIN_TOKEN. Where neither is set, a local run's own is sent, and to that run alone.
 * A credential is printed nowhere but by `token` and `keys create`; a refusal names where it came from.
 */
export type Credential = { token: string; from: Source }
type Source = 'BELFRY_TOKEN' | 'BELFRY_ADMIN_TOKEN' | 'local run'

/** A scope; `user`: the token of a user; `any`: any scope at all. */
export type Needs = string

/** @returns null if nobody is known: the worker may let in anyone */
export function credentialFor(needs: Needs, terminal: Terminal): Credential | null {
  const { BELFRY_TOKEN, BELFRY_ADMIN_TOKEN } = terminal.env
  const own = from('BELFRY_TOKEN', BELFRY_TOKEN)
  const admin = from('BELFRY_ADMIN_TOKEN', BELFRY_ADMIN_TOKEN)
  const given = needs === 'admin' ? (admin ?? own) : (own ?? admin)
  return given ?? from('local run', ownRun(terminal)?.adminToken)
}

/** @throws Failure if nobody is known */
export function adminCredential(terminal: Terminal): Credential {
  const known = credentialFor('admin', terminal)
  if (known) return known
  throw new Failure(`${SET_ADMIN}.`)
}

const SET_ADMIN =
  'Set BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN, or BELFRY_TOKEN to a token or an API key with the scope admin'

/** What to do about a 401 or a 403, in a sentence; empty for any other status. */
export function letInHint(status: number, needs: Needs, sent: Credential | null): string {
  if (status === 403 && sent) return ` ${lacking(needs, sent.from)}`
  if (status !== 401) return ''
  return ` ${sent ? refused[sent.from] : missing(needs)}`
}

/** The same of a socket, whose end does not say which of both it was. */
export function sentHint(needs: Needs, sent: Credential | null): string {
  return letInHint(401, needs, sent)
}

const refused: Record<Source, string> = {
  BELFRY_TOKEN: 'BELFRY_TOKEN was sent: is it of this worker, and neither expired nor revoked?',
  BELFRY_ADMIN_TOKEN: 'BELFRY_ADMIN_TOKEN was sent: is it this worker’s ADMIN_TOKEN?',
  'local run': 'The local run’s own token was sent: start again with `npm start`.',
}

function missing(needs: Needs): string {
  if (needs === 'user') return 'Set BELFRY_TOKEN to the token of a user.'
  if (needs === 'admin') return `${SET_ADMIN}.`
  const which = needs === 'any' ? 'any scope' : `the scope ${needs}`
  return `Set BELFRY_TOKEN to a token or an API key with ${which}, or BELFRY_ADMIN_TOKEN to the worker’s ADMIN_TOKEN.`
}

function lacking(needs: Needs, from: Source): string {
  const sent = from === 'local run' ? 'The local run’s own token' : from
  if (needs === 'user') return `${sent} was sent, which is no user’s: set BELFRY_TOKEN to one.`
  const which = needs === 'any' ? 'no scope' : `not the scope ${needs}`
  return `${sent} was sent, which has ${which}: set BELFRY_TOKEN to a token or an API key that has${needs === 'any' ? ' one' : ' it'}.`
}

function from(source: Source, token: string | undefined): Credential | null {
  return token ? { token, from: source } : null
}
