import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { Row } from '../../protocol/change.ts'
import { micros } from '../../protocol/instant.ts'
import { isMarked, type Mark } from '../../protocol/notification.ts'
import { servers } from '../support/database.ts'
import { WatchedDatabase } from '../support/watched-database.ts'
import { Notified } from './notified.ts'

const MOST = 10_000

/** Few, so that they are often the same; one microsecond apart, as Postgres has them. */
const instants = [0, 1, 2, 3].map((n) => `2026-11-21T08:00:00.00000${n}+00:00`)
const instant = fc.constantFrom(...instants)
const maybe = fc.option(instant, { nil: null })
const expiry = fc.option(fc.constantFrom('2020-01-01T00:00:00Z', '2031-01-01T00:00:00Z'), {
  nil: null,
  freq: 4,
})
const row = fc.record({
  delivered_at: instant,
  seen_at: maybe,
  unseen_at: maybe,
  read_at: maybe,
  unread_at: maybe,
  archived_at: maybe,
  unarchived_at: maybe,
  expires_at: expiry,
  to_inbox: fc.constantFrom(true, true, true, false),
  category: fc.constantFrom('orders', 'offers'),
})
const inbox = fc.record({
  rows: fc.array(row, { maxLength: 12 }),
  user: fc.record({ last_opened_at: maybe, all_read_at: maybe, all_archived_at: maybe }),
  size: fc.integer({ min: 1, max: 5 }),
})

type Counts = { unseen: number; unread: number }
type Window = {
  user: Row
  notifications: Row[]
  complete: boolean
  older: Counts & { expires_ms: number | null }
}

describe.each(servers)('marks on $name', (server) => {
  const db = WatchedDatabase.on(server)
  const at = new Notified(db)

  async function written(user: string, rows: readonly object[], marks: Record<string, unknown>) {
    const set = Object.entries(marks).map(
      ([name, time]) => `${name} = ${time ? `'${time}'` : null}`,
    )
    await db.run('DELETE FROM notifications WHERE user_id = $1', [user])
    await at.change('users', user, set.join())
    await db.run(
      `INSERT INTO notifications (user_id, title, state, delivered_at, seen_at, unseen_at, read_at,
              unread_at, archived_at, unarchived_at, expires_at, to_inbox, category)
       SELECT $1, 'x', 'delivered', delivered_at, seen_at, unseen_at, read_at, unread_at, archived_at,
              unarchived_at, expires_at, to_inbox, category
         FROM json_populate_recordset(NULL::notifications, $2)`,
      [user, JSON.stringify(rows)],
    )
  }

  async function window(user: string, size: number): Promise<Window> {
    const [found] = await db.run<{ answer: Window }>(
      'SELECT belfry.inbox_window($1, $2, $3) AS answer',
      [user, size, MOST],
    )
    return found?.answer as Window
  }

  /** All pages of a listing, by their ids. */
  async function listed(user: string, which: string, size: number, category: string | null) {
    const ids: unknown[] = []
    for (let last: Row | undefined; ; ) {
      const page: { n: Row }[] = await db.run(
        'SELECT n FROM belfry.inbox_page($1, $2, $3, $4, $5, $6) AS n',
        [user, last?.delivered_at ?? null, last?.id ?? null, size, which, category],
      )
      ids.push(...page.map(({ n }) => n.id))
      last = page.at(-1)?.n
      if (page.length < size || ids.length > 100) return ids
    }
  }

  const has = (mark: Mark, each: Row, user: Row) => isMarked(mark, each, user)
  const byPlace = (a: Row, b: Row) =>
    (micros(b.delivered_at) ?? 0) - (micros(a.delivered_at) ?? 0) || Number(b.id) - Number(a.id)

  it('P82 the law in SQL is the law in TypeScript: in the view, in counts and in every listing', async () => {
    const id = await at.user()
    await fc.assert(
      fc.asyncProperty(inbox, async ({ rows, user: marks, size }) => {
        await written(id, rows, marks)
        const all = await db.run<{ n: Row; u: Row }>(
          `SELECT to_json(n) AS n, to_json(u) AS u FROM notifications n JOIN users u ON u.id = user_id
            WHERE user_id = $1 AND to_inbox AND (n.expires_at IS NULL OR n.expires_at > now())`,
          [id],
        )
        const user = all[0]?.u ?? {}
        const shown = all.map(({ n }) => n).sort(byPlace)
        const view = await db.run<Record<Mark, boolean> & { id: string }>(
          'SELECT id, seen, read, archived FROM belfry.inbox WHERE user_id = $1 ORDER BY delivered_at DESC, id DESC',
          [id],
        )
        const marked = (each: Row) => ({
          ...{ id: String(each.id), seen: has('seen', each, user) },
          ...{ read: has('read', each, user), archived: has('archived', each, user) },
        })
        expect(view).toEqual(shown.map(marked))

        const found = await window(id, size)
        expect(found.notifications.map((each) => each.id)).toEqual(
          shown.slice(0, size).map((each) => each.id),
        )
        expect(found.complete).toBe(shown.length < size)
        const active = shown.filter((each) => !has('archived', each, user))
        const older = active.filter((each) => shown.indexOf(each) >= size)
        expect(found.older).toMatchObject({
          unseen: older.filter((each) => !has('seen', each, user)).length,
          unread: older.filter((each) => !has('read', each, user)).length,
        })

        const ids = (list: Row[]) => list.map((each) => each.id)
        const unread = active.filter((each) => !has('read', each, user))
        const archived = shown.filter((each) => has('archived', each, user))
        expect(await listed(id, 'all', size, null)).toEqual(ids(shown))
        expect(await listed(id, 'active', size, null)).toEqual(ids(active))
        expect(await listed(id, 'unread', size, null)).toEqual(ids(unread))
        expect(await listed(id, 'archived', size, null)).toEqual(ids(archived))
        expect(await listed(id, 'active', size, 'orders')).toEqual(
          ids(active.filter(({ category }) => category === 'orders')),
        )
      }),
      { numRuns: 25 },
    )
  })

  it('P84 what lies before the window is counted to a limit, and says when the first of it expires', async () => {
    const user = await at.user()
    const rows = Array.from({ length: 30 }, (_, n) => ({
      delivered_at: `2026-11-21T08:00:${String(n).padStart(2, '0')}Z`,
      ...{ to_inbox: true, category: 'general' },
      expires_at: n === 3 ? new Date(Date.now() + 60_000).toISOString() : null,
    }))
    await written(user, rows, { last_opened_at: null })
    const count = async (most: number) =>
      (
        await db.run('SELECT * FROM belfry.count_before($1, $2, $3, $4, $5)', [
          ...[user, 'unread', '2026-11-21T08:00:20Z', 0, most],
        ])
      )[0]
    expect(await count(5)).toMatchObject({ unmarked: 5 })
    expect(await count(100)).toMatchObject({ unmarked: 20 })
    const { older } = await window(user, 10)
    expect(older).toMatchObject({ unseen: 20, unread: 20 })
    expect(older.expires_ms).toBeGreaterThan(50_000)
    expect(older.expires_ms).toBeLessThanOrEqual(60_000)
  })

  it('of somebody who is not there, there is no window, and nothing to mark', async () => {
    expect(await window('0', 10)).toBe(null)
    const [all] = await db.run("SELECT belfry.mark_all(0, 'read', NULL, false) AS answer")
    expect(all).toEqual({ answer: null })
  })

  describe('one by one', () => {
    const mark = async (user: string, ids: string[], which: Mark, undo = false) =>
      (
        await db.run<{ n: Row }>('SELECT n FROM belfry.mark_notifications($1, $2, $3, $4) AS n', [
          ...[user, `{${ids.join()}}`, which, undo],
        ])
      ).map(({ n }) => n)

    test.each<Mark>(['seen', 'read', 'archived'])(
      'P82 %s and back, and twice is once',
      async (which) => {
        const user = await at.user()
        const { id } = await at.notify(user)
        const is = async () =>
          (
            await db.run<Record<Mark, boolean>>('SELECT * FROM belfry.inbox WHERE id = $1', [id])
          )[0]?.[which]
        const [first] = await mark(user, [id], which)
        expect([await is(), first?.version]).toEqual([true, 2])
        expect((await mark(user, [id], which))[0]).toEqual(first)
        await mark(user, [id], which, true)
        expect(await is()).toBe(false)
        await db.run('SELECT belfry.mark_all($1, $2, NULL, false)', [user, which])
        expect(await is()).toBe(true)
        await mark(user, [id], which, true)
        expect(await is()).toBe(false)
      },
    )

    it('P90 nobody else’s, nothing that is not delivered, and nothing that stands in no inbox', async () => {
      const [user, other] = [await at.user(), await at.user()]
      await at.prefer(user, 'offers', 'inbox', false)
      const ids = [
        await at.notify(other),
        await at.notify(user, { scheduled_at: '2031-01-01T00:00:00Z' }),
        await at.notify(user, { category: 'offers' }),
      ].map(({ id }) => id)
      expect(await mark(user, ids, 'read')).toEqual([])
      await db.changes()
    })
  })

  describe('all at once', () => {
    type All = { user: Row; before: string | null }
    const markAll = async (user: string, which: Mark, through: string | null, undo = false) =>
      (
        await db.run<{ answer: All }>('SELECT belfry.mark_all($1, $2, $3, $4) AS answer', [
          ...[user, which, through, undo],
        ])
      )[0]?.answer as All

    it('P82 in one change, of the user alone, and the earlier answer takes it back', async () => {
      const user = await at.user()
      for (let n = 0; n < 3; n++) await at.notify(user)
      await db.changes()
      const { before } = await markAll(user, 'read', null)
      expect((await window(user, 1)).older).toMatchObject({ unread: 0, unseen: 2 })
      expect((await db.changes()).map(({ table, op }) => `${op} ${table}`)).toEqual([
        'update users',
      ])
      await markAll(user, 'read', before, true)
      expect((await window(user, 1)).older).toMatchObject({ unread: 2 })
    })

    it('P82 through a time marks what was delivered by then, never back, never ahead of the clock', async () => {
      const user = await at.user()
      const [first, second] = [await at.notify(user), await at.notify(user)]
      const [{ n }] = (await db.run<{ n: Row }>(
        'SELECT to_json(n) AS n FROM notifications n WHERE id = $1',
        [first.id],
      )) as [{ n: Row }]
      await markAll(user, 'archived', String(n.delivered_at))
      expect((await listed(user, 'active', 10, null)).map(String)).toEqual([second.id])
      await markAll(user, 'archived', '2020-01-01T00:00:00Z')
      expect((await listed(user, 'active', 10, null)).map(String)).toEqual([second.id])
      const { user: marked } = await markAll(user, 'archived', '2031-01-01T00:00:00Z')
      expect(micros(marked.all_archived_at)).toBeLessThan(micros('2031-01-01T00:00:00Z') ?? 0)
      const third = await at.notify(user)
      expect((await listed(user, 'active', 10, null)).map(String)).toEqual([third.id])
    })
  })
})
