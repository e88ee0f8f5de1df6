import { eq, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { preferences, users } from '../../drizzle/inbox-schema.ts'
import type { Row } from '../../protocol/change.ts'
import { oneJson } from './me-store.ts'
import { columnsOfWishes, type Wishes } from './user-wishes.ts'

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
): Promise<{ user: Row; categories: Category[] } | null> {
  const wants = (channel: PreferenceChannel) => sql`
    coalesce(c.critical, false) OR coalesce(
      (SELECT p.enabled FROM public.preferences p
        WHERE p.user_id = u.id AND p.category = k.name AND p.channel = ${channel}), true)`
  return oneJson(
    db,
    sql`SELECT json_build_object('user', to_json(u), 'categories', (
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

/** All of it in one transaction. */
export async function writePreferences(
  db: NeonHttpDatabase,
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
  const statements = [
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
        ]
      : []),
  ]
  const [first, ...others] = statements
  if (first) await db.batch([first, ...others])
}
