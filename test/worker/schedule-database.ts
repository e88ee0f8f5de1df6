import { vi } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import { answerOfRules } from '../support/database-of-rules.ts'

const JSON_TYPE = 114
const TEXT_TYPE = 25

/**
 * Users and notifications in memory, behind Neon's HTTP endpoint, with a clock of their own: what
 * migration 0008 does with a schedule, as far as an inbox can tell. What the real one answers is in
 * test/postgres. Every write is a change of the feed, which lies in `owed` until it is handed over.
 */
export class ScheduleDatabase {
  /** Milliseconds since 1970 by the database's clock, which is nobody else's. */
  now: number
  isDown = false
  readonly users = new Map<number, Row>()
  readonly notifications = new Map<number, Row>()
  /** User's id → changes that the user's inbox has not heard yet, oldest first. */
  readonly owed = new Map<number, Change[]>()
  /** How often each function was asked. */
  readonly asked = new Map<string, number>()
  #offset = 0

  constructor(now: number) {
    this.now = now
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
      const { query, params } = JSON.parse(String(init?.body)) as Asked
      return answerOfRules(query) ?? this.#answer(query, params)
    })
  }

  addUser(id: number): void {
    this.users.set(id, { ...NO_USER, id, name: `User ${id}` })
  }

  /** As an INSERT does. */
  schedule(id: number, user: number, at: number): void {
    this.#write({
      ...NO_NOTIFICATION,
      ...{ id, user_id: user, title: `Reminder ${id}`, state: 'scheduled' },
      ...{ scheduled_at: instant(at), deliver_at: instant(at), created_at: instant(this.now) },
    })
  }

  /** As an UPDATE does, if it is not delivered yet. @param at null: it is cancelled */
  change(id: number, at: number | null): void {
    const row = this.notifications.get(id)
    if (row?.state !== 'scheduled') return
    if (at === null) this.#write({ ...row, state: 'cancelled', deliver_at: null })
    else this.#write({ ...row, scheduled_at: instant(at), deliver_at: instant(at) })
  }

  of(user: number, state: string): Row[] {
    return [...this.notifications.values()].filter(
      (row) => row.user_id === user && row.state === state,
    )
  }

  /** What the user's inbox is to hear next. */
  take(user: number): Change[] {
    const changes = this.owed.get(user) ?? []
    this.owed.delete(user)
    return changes
  }

  #answer(query: string, params: string[]): Response {
    if (this.isDown) throw new TypeError('fetch failed')
    const [, name = ''] = /belfry\.(\w+)\(/.exec(query) ?? []
    this.asked.set(name, (this.asked.get(name) ?? 0) + 1)
    const [, column = name] = /\bAS (\w+)/i.exec(query) ?? []
    const value = JSON.stringify(this.#call(name, Number(params[0]), Number(params[1]), query))
    const dataTypeID = query.includes('::text') ? TEXT_TYPE : JSON_TYPE
    const fields = [{ name: column, dataTypeID }]
    return Response.json({ fields, rows: [[value]], command: 'SELECT', rowCount: 1 })
  }

  #call(name: string, user: number, size: number, query: string): unknown {
    if (name === 'deliver_due') return this.#deliverDue(user, size)
    if (name === 'inbox_window') return this.#window(user, size)
    throw new Error(`the stand-in does not know this statement: ${query}`)
  }

  #deliverDue(user: number, size: number) {
    const due = this.of(user, 'scheduled')
      .filter((row) => dueAt(row) <= this.now)
      .sort((a, b) => dueAt(a) - dueAt(b) || Number(a.id) - Number(b.id))
      .slice(0, size)
    const notifications = due.map((row) =>
      this.#write({ ...row, state: 'delivered', delivered_at: instant(this.now) }),
    )
    return { notifications, next_ms: this.#nextDueMs(user) }
  }

  #window(user: number, size: number) {
    const row = this.users.get(user)
    if (!row) return null
    const delivered = this.of(user, 'delivered').sort(
      (a, b) =>
        Date.parse(String(b.delivered_at)) - Date.parse(String(a.delivered_at)) ||
        Number(b.id) - Number(a.id),
    )
    const notifications = delivered.slice(0, size)
    const unmarked = delivered.length - notifications.length
    return {
      user: row,
      notifications,
      complete: delivered.length < size,
      older: { unseen: unmarked, unread: unmarked, expires_ms: null },
      next_ms: this.#nextDueMs(user),
    }
  }

  #nextDueMs(user: number): number | null {
    const due = this.of(user, 'scheduled').map(dueAt)
    return due.length > 0 ? Math.min(...due) - this.now : null
  }

  #write(row: Row): Row {
    const id = Number(row.id)
    const old = this.notifications.get(id) ?? null
    const now = { ...row, version: Number(old?.version ?? 0) + 1, updated_at: instant(this.now) }
    this.notifications.set(id, now)
    const user = Number(row.user_id)
    this.owed.set(user, [
      ...(this.owed.get(user) ?? []),
      {
        offset: ++this.#offset,
        id: crypto.randomUUID(),
        table: 'notifications',
        op: old ? 'update' : 'insert',
        key: { id },
        ...{ old, new: now },
        at: instant(this.now),
      },
    ])
    return now
  }
}

type Asked = { query: string; params: string[] }

function dueAt(row: Row): number {
  return Date.parse(String(row.deliver_at))
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000+00:00')
}

const NO_USER = {
  email: null,
  can_receive_notifications: true,
  time_zone: 'UTC',
  quiet_from: null,
  quiet_to: null,
  digest: 'off',
  digest_at: '08:00:00',
  last_opened_at: null,
  all_read_at: null,
  all_archived_at: null,
  version: 1,
  created_at: '2026-11-21T08:00:00.000000+00:00',
  updated_at: '2026-11-21T08:00:00.000000+00:00',
} satisfies Row

const NO_NOTIFICATION = {
  category: 'reminders',
  content: {},
  link: null,
  origin: null,
  expires_at: null,
  problem: null,
  delivered_at: null,
  digested: false,
  to_inbox: true,
  to_mail: true,
  to_webhook: true,
  seen_at: null,
  unseen_at: null,
  read_at: null,
  unread_at: null,
  archived_at: null,
  unarchived_at: null,
} satisfies Row
