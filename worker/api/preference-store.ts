import { eq, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import type { Context } from 'hono'
import { preferences, users } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'
import { expected } from './entity-tag.ts'
import { oneJson } from './me-store.ts'
import { columnsOfWishes, type Wishes } from './user-wishes.ts'
import { noted, writeAll } from './writing.ts'

/** What a user wants, in Postgres: wishes on their row, and a row for each category and channel. */
export const preferenceChannels = ['inbox', 'mail', 'webhook'] as const
export type PreferenceChannel = (typeof preferenceChannels)[number]
export type OnChannels = Record<PreferenceChannel, boolean>
export type Wanted = { [Channel in PreferenceChannel]?: boolean | undefined } & { name: string }
export type Category = OnChannels & { name: string; critical: boolean }

/**
 * The user's row, and every category that they may come across: what is registered, what rules
 * write of, what they have said something about, and which of `asked` they were ever sent.
 * @returns null if there is no such user
 */
export function readPreferences(
  db: NeonHttpDatabase,
  user: string,
  asked: readonly string[] = [],
): Promise<{ user: Row; categories: Category[]; tag: string } | null> {
  const wants = (channel: PreferenceChannel) => sql`
    coalesce(c.critical, false) OR coalesce(
      (SELECT p.enabled FROM public.preferences p
        WHERE p.user_id = u.id AND p.category = k.name AND p.channel = ${channel}), true)`
  return oneJson(
    db,
    sql`SELECT json_build_object('user', to_json(u), 'tag', (${tagOf(user)}), 'categories', (
          SELECT json_agg(json_build_object(
                   'name', k.name, 'critical', coalesce(c.critical, false),
                   'inbox', ${wants('inbox')}, 'mail', ${wants('mail')}, 'webhook', ${wants('webhook')}
                 ) ORDER BY k.name)
            FROM (SELECT 'general' AS name
                   UNION SELECT r.name FROM public.notification_categories r
                   UNION SELECT r.category FROM public.rules r WHERE r.enabled AND r.channel IN ('inbox', 'mail')
                   UNION SELECT p.category FROM public.preferences p WHERE p.user_id = u.id
                   UNION SELECT a.name FROM json_array_elements_text(${JSON.stringify(asked)}::json) AS a(name)
                          WHERE EXISTS (SELECT FROM public.notifications n
                                         WHERE n.user_id = u.id AND n.category = a.name)) AS k
            LEFT JOIN public.notification_categories c ON c.name = k.name))::text AS json
          FROM public.users u WHERE u.id = ${user}::bigint`,
  )
}

/** Nothing, if it has changed since the tag that the request names. */
export async function writePreferences(
  c: Context,
  user: string,
  wishes: { [Wish in keyof Wishes]?: Wishes[Wish] | undefined },
  categories: readonly Wanted[],
): Promise<void> {
  const id = sql<number>`${user}::bigint`
  const columns = columnsOfWishes(wishes)
  const rows = categories.flatMap(({ name, ...on }) =>
    preferenceChannels.flatMap((channel) => {
      const enabled = on[channel]
      return enabled === undefined ? [] : [{ user_id: id, category: name, channel, enabled }]
    }),
  )
  const changed = Object.fromEntries(categories.map(({ name, ...on }) => [name, on]))
  await writeAll(c, (db) => [
    // By itself: what is compared behind it must be what another has written meanwhile.
    db.select({ id: users.id }).from(users).where(eq(users.id, id)).for('update'),
    db.execute(expected(c, tagOf(user))),
    ...(Object.keys(columns).length > 0
      ? [db.update(users).set(columns).where(eq(users.id, id))]
      : []),
    ...(rows.length > 0
      ? [
          db
            .insert(preferences)
            .values(rows)
            .onConflictDoUpdate({
              target: [preferences.user_id, preferences.category, preferences.channel],
              set: { enabled: sql`excluded.enabled` },
              setWhere: sql`${preferences.enabled} <> excluded.enabled`,
            }),
          db.execute(noted({ action: 'update', table: 'preferences', key: user, changed })),
        ]
      : []),
  ])
}

/** Of what the user has said. That there is a new category to say something of does not move it. */
function tagOf(user: string) {
  return sql`
    SELECT left(md5(concat(
             (t.can_receive_notifications, t.time_zone, t.quiet_from, t.quiet_to, t.digest, t.digest_at)::text,
             (SELECT string_agg((p.category, p.channel, p.enabled)::text, ',' ORDER BY p.category, p.channel)
                FROM public.preferences p WHERE p.user_id = t.id))), 16)
      FROM public.users t WHERE t.id = ${user}::bigint`
}
