import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { marks, type Notification } from '../../protocol/notification.ts'
import type { InboxUser } from '../support/inbox-user.ts'
import type { Device } from './devices.ts'
import type { Violations } from './violations.ts'

/** One inbox at a time would take a while, all at once would be another storm. */
const READ_AT_ONCE = 20
/** An inbox shows so many on a page, and a device that was never reset holds as many at least. */
const NEWEST = 100

const PATIENCE_MS = 60_000
const RETRY_MS = 500

type Brief = Pick<Notification, 'id' | 'seen' | 'read' | 'archived'>
type Truth = { newest: Brief[]; unseen: number; unread: number }

/**
 * In the end every inbox is what Postgres says (P82, P84): the newest, their marks, the counts. And
 * what a device made of the frames is the same (P83).
 */
export async function checkInboxes(
  sql: pg.Pool,
  users: readonly InboxUser[],
  devices: readonly Device[],
  violations: Violations,
): Promise<void> {
  const truth = await readTruth(sql)
  const waiting = [...users]
  await Promise.all(
    Array.from({ length: READ_AT_ONCE }, async () => {
      for (let user = waiting.pop(); user; user = waiting.pop()) {
        const { notifications, counts } = await listed(user)
        const { newest, unseen, unread } = truth.get(user.id) ?? {
          newest: [],
          unseen: 0,
          unread: 0,
        }
        const what = firstDifference(newest, notifications)
        if (what) violations.add('P82 P84', `user ${user.id} is shown ${what}`)
        if (counts.unseen !== unseen || counts.unread !== unread)
          violations.add(
            'P82',
            `user ${user.id} has ${unseen} unseen and ${unread} unread, and is told ${counts.unseen} and ${counts.unread}`,
          )
      }
    }),
  )
  for (const { user, shown } of devices)
    for (const brief of truth.get(user.id)?.newest ?? []) {
      const held = shown.get(brief.id)
      if (text(brief) !== (held && text(held)))
        violations.add(
          'P82 P83',
          `a device of user ${user.id} holds ${held ? text(held) : `no ${brief.id}`} for ${text(brief)}`,
        )
    }
}

/** A server that many ask at once may ask them to come again. */
async function listed(user: InboxUser): ReturnType<InboxUser['list']> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(RETRY_MS))
    try {
      return await user.list(NEWEST)
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
}

async function readTruth(sql: pg.Pool): Promise<Map<number, Truth>> {
  const { rows } = await sql.query<Truth & { user_id: number }>(`
    SELECT user_id::int,
           (array_agg(json_build_object('id', id, 'seen', seen, 'read', read, 'archived', archived)
                      ORDER BY delivered_at DESC, id DESC))[1:${NEWEST}] AS newest,
           count(*) FILTER (WHERE NOT seen AND NOT archived)::int AS unseen,
           count(*) FILTER (WHERE NOT read AND NOT archived)::int AS unread
      FROM belfry.inbox GROUP BY user_id`)
  return new Map(rows.map(({ user_id, ...truth }) => [user_id, truth]))
}

function firstDifference(newest: readonly Brief[], shown: readonly Brief[]): string | null {
  for (let n = 0; n < Math.max(newest.length, shown.length); n++) {
    const [stored, told] = [newest[n], shown[n]].map((each) => (each ? text(each) : 'nothing'))
    if (stored !== told) return `${told} where Postgres has ${stored} (place ${n + 1})`
  }
  return null
}

function text(brief: Brief): string {
  const borne = marks.filter((mark) => brief[mark])
  return `${brief.id} (${borne.join(', ') || 'no mark'})`
}
