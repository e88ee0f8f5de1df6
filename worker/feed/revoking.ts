import type { Cut } from '../doors/session.ts'

/** As much of the bindings as is needed here. */
type Objects = Record<'SHARD' | 'MAILER' | 'INBOX', { getByName(name: string): Holder }>
/** An object that holds sockets. */
type Holder = { cut(cut: Cut): Promise<void> }

/**
 * Tells the objects that hold sockets what was revoked: those shards that hold any, the mailer, and
 * the inbox if it is a user. It carries no truth: the row that revokes comes to all of them by the
 * log as well, and whoever could not be told here hears of it then. Never throws.
 */
export async function tellOfCut(
  { SHARD, MAILER, INBOX }: Objects,
  shards: readonly string[],
  cut: Cut,
): Promise<void> {
  const user = userOfPrincipal(cut.principal)
  const told = await Promise.allSettled([
    ...shards.map(async (shard) => SHARD.getByName(shard).cut(cut)),
    MAILER.getByName('main').cut(cut),
    ...(user === null ? [] : [INBOX.getByName(user).cut(cut)]),
  ])
  for (const result of told)
    if (result.status === 'rejected') {
      const message = 'an object could not be told what was revoked'
      console.warn(JSON.stringify({ message, error: String(result.reason) }))
    }
}

/** @returns `users.id` as text; null if the principal is no user */
export function userOfPrincipal(principal: string): string | null {
  return /^user:([1-9]\d{0,18})$/.exec(principal)?.[1] ?? null
}
