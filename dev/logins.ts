import { ask } from './database.ts'
import { password } from './postgres-data.ts'

/**
 * The local run's own logins for the worker and the listener, each in the role that the migrations
 * made for it: so whatever works here works with those rights. Their password is that of the
 * superuser, and keeps nobody out either (see postgres.ts).
 */
export type Logins = { worker: string; listener: string }

/** @param url of the superuser, to a migrated database */
export async function ensureLogins(url: string): Promise<Logins> {
  return {
    worker: await ensureLogin(url, 'belfry_worker'),
    listener: await ensureLogin(url, 'belfry_listener'),
  }
}

async function ensureLogin(url: string, role: string): Promise<string> {
  const login = `${role}_login`
  const known = await ask(url, 'SELECT FROM pg_roles WHERE rolname = $1', [login])
  if (known.length === 0)
    await ask(url, `CREATE ROLE ${login} LOGIN PASSWORD '${password}' IN ROLE ${role}`)
  const address = new URL(url)
  address.username = login
  address.password = password
  return address.href
}
