import type { Principal } from '../../worker/doors/principal.ts'
import type { DatabaseStandIn } from './database-stand-in.ts'
import { bindings } from './link.ts'

const { KEYRING } = bindings

/**
 * A keyring that nobody has asked yet, in place of the one before, for the worker and its objects.
 * @returns its name
 */
export function freshKeyring(): string {
  const name = crypto.randomUUID()
  const keyring = Object.create(KEYRING, {
    getByName: { value: () => KEYRING.getByName(name), configurable: true, writable: true },
    idFromString: { value: KEYRING.idFromString.bind(KEYRING) },
  })
  Object.assign(bindings, { KEYRING: keyring })
  return name
}

/** In the database, from now on. */
export function revoke(database: DatabaseStandIn, name: string, sinceMs = Date.now()): void {
  const { keys, revoked } = database.ring
  database.ring = { keys, revoked: { ...revoked, [name]: sinceMs } }
}

/** A user with a token that does not end; what is given instead is so. */
export function userOf(user: string, given: Partial<Principal> = {}): Principal {
  return {
    ...{ name: `user:${user}`, kind: 'user', user, scopes: [] },
    ...{ expiresAt: null, issuedAt: 0 },
    ...given,
  }
}

export const operator: Principal = {
  ...{ name: 'operator', kind: 'operator', user: null, scopes: ['admin'] },
  ...{ expiresAt: null, issuedAt: null },
}
