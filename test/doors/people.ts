import { createHash, randomBytes } from 'node:crypto'
import type pg from 'pg'
import { AUDIENCE, type Identity, ISSUER, signWithSecret } from './identity.ts'
import { secrets } from './settings.ts'

const HOUR_S = 3_600

/** The kinds of principals that knock, each with what it may. */
export const kinds = [
  'anyone',
  'a wrong token',
  'a user',
  'a reader of orders',
  'a reader of users',
  'a reader of all',
  'a writer of orders',
  'a key that reads orders',
  'an admin',
  'an admin key',
  'the operator',
] as const
export type Kind = (typeof kinds)[number]

const scopesOf: Record<Exclude<Kind, 'anyone' | 'a wrong token' | 'the operator'>, string> = {
  'a user': '',
  'a reader of orders': 'orders:read',
  'a reader of users': 'users:read',
  'a reader of all': '*:read',
  'a writer of orders': 'orders:write',
  'a key that reads orders': 'orders:read',
  'an admin': 'admin',
  'an admin key': 'admin',
}

export type User = { id: number; token: string; notification: number; order: number }

/** Two users with what is theirs, and a credential of each kind. */
export class People {
  readonly ada: User
  readonly ben: User
  readonly credentials: Record<Kind, string | null>

  private constructor(ada: User, ben: User, credentials: Record<Kind, string | null>) {
    this.ada = ada
    this.ben = ben
    this.credentials = credentials
  }

  static async come(sql: pg.Pool, identity: Identity): Promise<People> {
    const ada = await settle(sql, 71, 'Ada')
    const ben = await settle(sql, 72, 'Ben')
    const token = (kind: keyof typeof scopesOf) =>
      identity.sign({ ...claims(`staff of ${kind}`), scope: scopesOf[kind] })
    const credentials: People['credentials'] = {
      anyone: null,
      'a wrong token': `${'x'.repeat(30)}`,
      'a user': ada.token,
      'a reader of orders': await token('a reader of orders'),
      'a reader of users': await token('a reader of users'),
      'a reader of all': await token('a reader of all'),
      'a writer of orders': await token('a writer of orders'),
      'a key that reads orders': await makeKey(sql, 'reads orders', ['orders:read']),
      'an admin': await token('an admin'),
      'an admin key': await makeKey(sql, 'does everything', ['admin']),
      'the operator': secrets.ADMIN_TOKEN,
    }
    return new People(ada, ben, credentials)
  }
}

/** Of whoever signs in, good for an hour. */
export function claims(sub: string) {
  const now = Math.floor(Date.now() / 1000)
  return { sub, iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + HOUR_S }
}

export function tokenOfUser(id: number, more: Record<string, unknown> = {}): Promise<string> {
  return signWithSecret(secrets.AUTH_SECRET, { ...claims(String(id)), ...more })
}

/** By SQL: how the API makes one is an attack of its own. */
export async function makeKey(sql: pg.Pool, name: string, scopes: string[]): Promise<string> {
  const key = `belfry_${randomBytes(32).toString('base64url')}`
  await sql.query(
    `INSERT INTO belfry.api_keys (name, hash, hint, scopes, created_by)
     VALUES ($1, $2, $3, $4, 'test')`,
    [name, createHash('sha256').update(key).digest(), key.slice(0, 11), scopes],
  )
  return key
}

async function settle(sql: pg.Pool, id: number, name: string): Promise<User> {
  await sql.query('INSERT INTO users (id, name) VALUES ($1, $2)', [id, name])
  const one = async (text: string) =>
    Number((await sql.query<{ id: string }>(text, [id])).rows[0]?.id)
  return {
    id,
    token: await tokenOfUser(id),
    notification: await one(
      `INSERT INTO notifications (user_id, title) VALUES ($1, 'Only for whom it is') RETURNING id`,
    ),
    order: await one(
      `INSERT INTO orders (customer_name, product_name, amount, customer_id)
       VALUES ('Somebody', 'Something of theirs', 1, $1) RETURNING id`,
    ),
  }
}
