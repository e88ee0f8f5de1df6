import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { databaseAdvice } from '../api/database-failure.ts'

/**
 * Where a user's mail goes, at the moment it goes: Postgres is authoritative on addresses and on
 * what users want. Throws when the database cannot be asked, so that nothing is guessed.
 */
export type Resolved =
  | { kind: 'address'; address: string }
  | { kind: 'declined'; why: string }
  | { kind: 'missing'; why: string }

export async function resolveUser(
  env: DatabaseEnv,
  userId: string,
  category: string,
): Promise<Resolved> {
  if (!isId(userId)) return { kind: 'missing', why: `"${userId.slice(0, 40)}" is no user's id` }
  return resolve(userId, category, await find(env, userId, category))
}

async function find(
  env: DatabaseEnv,
  userId: string,
  category: string,
): Promise<Found | undefined> {
  try {
    const [found] = await askOnce<Found>(env, FIND, [userId, category])
    return found
  } catch (error) {
    // The driver's own words hold the statement and its values.
    throw new Error(databaseAdvice(error))
  }
}

const FIND = `
  SELECT u.email, u.can_receive_notifications AS wants_any,
         coalesce(p.enabled, true) OR coalesce(c.critical, false) AS wants
    FROM users u
    LEFT JOIN preferences p ON p.user_id = u.id AND p.category = $2 AND p.channel = 'mail'
    LEFT JOIN notification_categories c ON c.name = $2
   WHERE u.id = $1::bigint`

type Found = { email: string | null; wants_any: boolean; wants: boolean }

function resolve(userId: string, category: string, user: Found | undefined): Resolved {
  if (!user) return { kind: 'missing', why: `there is no user ${userId}` }
  if (!user.wants_any) return { kind: 'declined', why: `user ${userId} wants no notifications` }
  if (!user.wants)
    return { kind: 'declined', why: `user ${userId} wants no mail about "${category}"` }
  if (!user.email) return { kind: 'missing', why: `user ${userId} has no address` }
  return { kind: 'address', address: user.email }
}

/** A bigint above zero. */
function isId(text: string): boolean {
  return /^[1-9]\d{0,18}$/.test(text) && BigInt(text) < 2n ** 63n
}
