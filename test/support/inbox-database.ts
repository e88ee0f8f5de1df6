import { vi } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import { answerOfRules } from './database-of-rules.ts'
import { instant, microsOf } from './instants.ts'

const NEON = 'https://neon-of-inboxes.test/sql'
const TEXT_TYPE = 25

export const neonEndpoint = NEON

type Mark = 'seen' | 'read' | 'archived'
const unmarked = { seen: 'unseen_at', read: 'unread_at', archived: 'unarchived_at' } as const
const ofAll = { seen: 'last_opened_at', read: 'all_read_at', archived: 'all_archived_at' } as const

/**
 * What Postgres has of one user, and answers to their object: the law of migration 0008 in its
 * plainest words, over all rows. Every write is a change in `log`, as the feed would tell it.
 */
export class InboxDatabase {
  readonly userId: number
  user: Row | null
  readonly rows = new Map<number, Row>()
  readonly log: Change[] = []
  readonly statements: string[] = []
  /** What a statement meets instead of its answer, once each; thrown if it is an error. */
  readonly script: (() => Response | Promise<Response | null> | null)[] = []
  /** Rows that Postgres refuses to deliver. */
  readonly poisoned = new Set<number>()
  isDown = false
  #lastId = 0
  #micros = 0
  /** Its clock goes on with each time that is asked for, and as `pass` says. */
  readonly #began = Date.now()
  #lateBy = 0

  constructor(userId: number) {
    this.userId = userId
    this.user = {
      ...{ id: userId, name: 'Ada', can_receive_notifications: true, version: 1 },
      ...{ last_opened_at: null, all_read_at: null, all_archived_at: null },
      ...{ created_at: this.time(), updated_at: this.time() },
    }
  }

  /** It answers the driver, in place of the network. */
  listen(): void {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (String(input) !== NEON) throw new TypeError(`nothing is at ${input}`)
      const { query, params } = JSON.parse(String(init?.body))
      const ofConsumers = answerOfRules(query)
      if (ofConsumers) return ofConsumers
      // An inbox of an earlier test, whose alarm rings still.
      if (params[0] !== String(this.userId)) throw new TypeError('fetch failed')
      this.statements.push(query)
      const scripted = await this.script.shift()?.()
      if (scripted) return scripted
      if (this.isDown) throw new TypeError('fetch failed')
      return this.#answer(query, params)
    })
  }

  /** Now, later than any time before; `time` in a row, as a change carries it. */
  time(afterMs = 0): string {
    this.#micros = Math.max(this.#micros + 1, this.nowMs * 1000)
    return instant(this.#micros + afterMs * 1000)
  }

  get nowMs(): number {
    return this.#began + this.#lateBy
  }

  /** Time goes on. */
  pass(ms: number): void {
    this.#lateBy += ms
  }

  // --- writing --------------------------------------------------------------------------------

  insert(fields: Partial<Row> = {}): Row {
    const id = ++this.#lastId
    const now = this.time()
    const deliverAt = (fields.deliver_at as string | undefined) ?? now
    const isDue = deliverAt <= now
    const row: Row = {
      ...{ id, user_id: this.userId, category: 'general', title: `Number ${id}`, content: {} },
      ...{ link: null, expires_at: null, to_inbox: true, deliver_at: deliverAt },
      ...{ state: isDue ? 'delivered' : 'scheduled', delivered_at: isDue ? now : null },
      ...{ seen_at: null, unseen_at: null, read_at: null, unread_at: null },
      ...{ archived_at: null, unarchived_at: null, problem: null },
      ...{ version: 1, created_at: now, updated_at: now },
      ...fields,
    }
    this.rows.set(id, row)
    this.#tell('notifications', 'insert', row, null)
    return row
  }

  insertMany(count: number, fields: (n: number) => Partial<Row> = () => ({})): Row[] {
    return Array.from({ length: count }, (_, n) => this.insert(fields(n)))
  }

  update(id: number, fields: Partial<Row>): Row {
    const old = this.#row(id)
    const row = { ...old, ...fields, version: Number(old.version) + 1, updated_at: this.time() }
    this.rows.set(id, row as Row)
    this.#tell('notifications', 'update', row as Row, old)
    return row as Row
  }

  delete(id: number): void {
    const old = this.#row(id)
    this.rows.delete(id)
    this.#tell('notifications', 'delete', null, old)
  }

  mark(id: number, mark: Mark, undo = false): Row {
    const now = this.time()
    const before = this.#row(id)[`${mark}_at`] ?? null
    return this.update(id, {
      [`${mark}_at`]: undo ? null : (before ?? now),
      [unmarked[mark]]: undo ? now : null,
    })
  }

  /** @returns the user's row */
  markAll(mark: Mark, through: string | null = this.time()): Row {
    return this.changeUser({ [ofAll[mark]]: through })
  }

  changeUser(fields: Partial<Row>): Row {
    const old = this.user as Row
    this.user = {
      ...old,
      version: Number(old.version) + 1,
      updated_at: this.time(),
      ...fields,
    } as Row
    this.#tell('users', 'update', this.user, old)
    return this.user
  }

  deleteUser(): void {
    for (const id of [...this.rows.keys()]) this.delete(id)
    const old = this.user as Row
    this.user = null
    this.#tell('users', 'delete', null, old)
  }

  deliver(id: number): Row {
    return this.update(id, { state: 'delivered', delivered_at: this.time() })
  }

  // --- the law, over all rows -----------------------------------------------------------------

  /** Newest first. */
  inbox(): Row[] {
    const now = this.time()
    return [...this.rows.values()]
      .filter(
        ({ state, to_inbox, expires_at }) =>
          state === 'delivered' &&
          to_inbox &&
          (expires_at === null || (expires_at as string) > now),
      )
      .sort((a, b) => {
        if (a.delivered_at === b.delivered_at) return Number(b.id) - Number(a.id)
        return (a.delivered_at as string) < (b.delivered_at as string) ? 1 : -1
      })
  }

  is(mark: Mark, row: Row): boolean {
    if (row[`${mark}_at`] !== null) return true
    const all = this.user?.[ofAll[mark]] as string | null
    const unmarkedAt = row[unmarked[mark]] as string | null
    return (
      all !== null &&
      all >= (row.delivered_at as string) &&
      (unmarkedAt === null || all >= unmarkedAt)
    )
  }

  counts(most = 10_000) {
    const active = this.inbox().filter((row) => !this.is('archived', row))
    const unseen = active.filter((row) => !this.is('seen', row)).length
    const unread = active.filter((row) => !this.is('read', row)).length
    return { unseen, unread, capped: unseen >= most || unread >= most }
  }

  /** As Neon answers with these. */
  answers(answers: unknown[]): Response {
    return answer(answers)
  }

  /** The last change of the log. */
  get lastChange(): Change {
    const last = this.log.at(-1)
    if (!last) throw new Error('nothing was written')
    return last
  }

  // --- answers --------------------------------------------------------------------------------

  #answer(query: string, params: string[]): Response {
    if (query.includes('belfry.inbox_window'))
      return answer([this.window(Number(params[1]), Number(params[2]))])
    if (query.includes('belfry.deliver_due')) return this.#deliverDue(params)
    if (query.includes('belfry.mark_notifications')) {
      const ids = idsIn(params[1]).filter((id) => this.rows.has(id))
      return answer(ids.map((id) => this.mark(id, 'seen', true)))
    }
    if (query.includes("state = 'parked'")) {
      const row = this.update(Number(params[1]), { state: 'parked', problem: params[2] as string })
      return answer([row.id as number])
    }
    const [first] = this.#due(idsIn(params[1]))
    return answer(first ? [first.id as number] : [])
  }

  window(size: number, most = 10_000) {
    if (!this.user) return null
    const inbox = this.inbox()
    const newest = inbox.slice(0, size)
    const older = inbox.slice(size).filter((row) => !this.is('archived', row))
    const [unseen, unread] = (['seen', 'read'] as const).map((mark) =>
      older.filter((row) => !this.is(mark, row)).slice(0, most),
    ) as [Row[], Row[]]
    const expiries = [...unseen, ...unread].flatMap(
      ({ expires_at }) => expires_at ?? [],
    ) as string[]
    return {
      user: this.user,
      notifications: newest,
      complete: newest.length < size,
      older: {
        unseen: unseen.length,
        unread: unread.length,
        expires_ms: this.#until(expiries),
      },
      next_ms: this.#until(this.#scheduled([]).map(({ deliver_at }) => deliver_at as string)),
    }
  }

  #deliverDue([, size, skipping]: string[]): Response {
    const due = this.#due(idsIn(skipping)).slice(0, Number(size))
    if (due.some(({ id }) => this.poisoned.has(Number(id))))
      return Response.json({ message: 'a trigger raised', code: 'P0001' }, { status: 400 })
    const notifications = due.map(({ id }) => this.deliver(Number(id)))
    const rest = this.#scheduled(idsIn(skipping)).map(({ deliver_at }) => deliver_at as string)
    return answer([{ notifications, next_ms: this.#until(rest) }])
  }

  #scheduled(skipping: number[]): Row[] {
    return [...this.rows.values()]
      .filter(({ id, state }) => state === 'scheduled' && !skipping.includes(Number(id)))
      .sort((a, b) => ((a.deliver_at as string) < (b.deliver_at as string) ? -1 : 1))
  }

  #due(skipping: number[]): Row[] {
    const now = this.time()
    return this.#scheduled(skipping).filter(({ deliver_at }) => (deliver_at as string) <= now)
  }

  /** In how many milliseconds the first of these is; null if there is none. */
  #until(times: string[]): number | null {
    const now = this.time()
    return times.length === 0
      ? null
      : Math.min(...times.map((at) => microsOf(at) - microsOf(now))) / 1000
  }

  #row(id: number): Row {
    const row = this.rows.get(id)
    if (!row) throw new Error(`there is no notification ${id}`)
    return row
  }

  #tell(table: string, op: Change['op'], row: Row | null, old: Row | null): void {
    const offset = this.log.length + 1
    const key = { id: (row ?? old)?.id ?? null }
    const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`
    this.log.push({ id, table, op, key, new: row, old, at: this.time(), offset })
  }
}

function idsIn(array = '{}'): number[] {
  return array.slice(1, -1).split(',').filter(Boolean).map(Number)
}

function answer(answers: unknown[]): Response {
  const rows = answers.map((each) => [each === null ? null : JSON.stringify(each)])
  const fields = [{ name: 'answer', dataTypeID: TEXT_TYPE }]
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}
