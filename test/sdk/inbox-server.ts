import type { Row } from '../../protocol/change.ts'
import type { InboxFrame } from '../../protocol/inbox-frames.ts'
import {
  type Counts,
  isMarked,
  type Mark,
  marks,
  type Notification,
  notificationOf,
} from '../../protocol/notification.ts'
import { type FakeSocket, World } from './world.ts'

const columns = {
  seen: ['seen_at', 'unseen_at', 'last_opened_at'],
  read: ['read_at', 'unread_at', 'all_read_at'],
  archived: ['archived_at', 'unarchived_at', 'all_archived_at'],
} as const satisfies Record<Mark, readonly [string, string, string]>

type Move = { offset: number; all: InboxFrame & { type: 'notifications' }; ids: number[] }

/**
 * A worker with one user's inbox, as protocol/ says it: rows, marks, positions, pages. It answers
 * requests at once, or, when `isSlow`, as the test lets them go: `arrive` has one processed, `answer`
 * hands its answer over. What it says over the socket waits in `said` until `tell`.
 */
export class InboxServer {
  readonly world = new World()
  readonly asked: string[] = []
  isSlow = false
  /** The status of every answer, once: then it is forgotten. */
  refusal: { status: number; title: string; detail: string } | null = null
  readonly said: (() => void)[] = []
  readonly coming: (() => void)[] = []
  readonly going: (() => void)[] = []
  #rows = new Map<number, Row>()
  #user: Row = { id: 3, last_opened_at: null, all_read_at: null, all_archived_at: null }
  #epoch = 1
  #offset = 0
  #lastId = 0
  #moves: Move[] = []
  #now = 0
  #served = new Set<FakeSocket>()

  get position(): string {
    return `e${this.#epoch}:${this.#offset}`
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(String(input))
    const path = pathname.replace(/^.*\/api\/me\//, '')
    this.asked.push(`${init?.method} ${path}`)
    await this.#pass(this.coming)
    const { status, body } = this.#answer(String(init?.method), path, searchParams, init?.body)
    await this.#pass(this.going)
    init?.signal?.throwIfAborted()
    return new Response(JSON.stringify(body), { status })
  }

  deliver(title = 'News', more: Row = {}): number {
    const id = ++this.#lastId
    const none = Object.fromEntries(
      Object.values(columns).flatMap(([on, off]) => [on, off].map((name) => [name, null])),
    )
    const row = { id, category: 'general', title, content: {}, link: null, expires_at: null }
    this.#rows.set(id, { ...row, ...none, delivered_at: this.#tick(), ...more })
    this.#move([id])
    return id
  }

  remove(id: number): void {
    if (this.#rows.delete(id)) this.#move([id])
  }

  mark(id: number, mark: Mark, to: boolean): void {
    const row = this.#rows.get(id)
    if (!row || isMarked(mark, row, this.#user) === to) return
    const [on, off] = columns[mark]
    this.#rows.set(id, { ...row, [on]: to ? this.#tick() : null, [off]: to ? null : this.#tick() })
    this.#move([id])
  }

  markAll(mark: Mark, through: string = this.#tick()): string | null {
    const column = columns[mark][2]
    const before = this.#user[column] as string | null
    if (before !== null && before >= through) return before
    this.#user = { ...this.#user, [column]: through }
    // Those that were taken back later are told one by one.
    const spared = [...this.#rows.values()].filter((row) => !isMarked(mark, row, this.#user))
    this.#move(
      spared.filter((row) => String(row.delivered_at) <= through).map(({ id }) => Number(id)),
      { [mark]: through },
    )
    return before
  }

  undoAll(mark: Mark, before: string | null): void {
    this.#user = { ...this.#user, [columns[mark][2]]: before }
    this.#offset++
    this.#moves = []
    for (const socket of this.#served) this.#say(socket, this.#reset('pruned'))
  }

  /** Its object begins anew. */
  restart(): void {
    this.#epoch++
    this.#offset = 0
    this.#moves = []
    for (const socket of this.#served) this.breakOff(socket)
  }

  breakOff(socket: FakeSocket): void {
    if (this.#served.delete(socket)) socket.break()
  }

  /** Every socket that was opened gets its greeting, in its time. */
  serve(): void {
    for (const socket of this.world.sockets) {
      if (socket.closed) this.#served.delete(socket)
      if (socket.closed || greeted.has(socket)) continue
      greeted.add(socket)
      this.#served.add(socket)
      const { epoch, after } = socket.query
      const from = Number(after)
      const known = epoch === `e${this.#epoch}` && from >= this.#offset - this.#moves.length
      const [stood, counts] = [known ? from : this.#offset, this.counts]
      const hello = { type: 'hello', protocol: 1, epoch: `e${this.#epoch}`, after: stood } as const
      this.#say(socket, { ...hello, counts })
      if (!known) this.#say(socket, this.#reset('epoch'))
      else if (from < this.#offset) this.#say(socket, this.#since(from))
    }
  }

  list(listing: string): Notification[] {
    return [...this.#rows.values()]
      .map((row) => notificationOf(row, this.#user))
      .filter(({ read, archived }) => {
        if (listing === 'all') return true
        return listing === 'archived' ? archived : !archived && (listing === 'active' || !read)
      })
      .sort((a, b) => (a.delivered_at < b.delivered_at ? 1 : -1))
  }

  get counts(): Counts {
    const active = this.list('active')
    const unread = active.filter(({ read }) => !read).length
    return { unseen: active.filter(({ seen }) => !seen).length, unread, capped: false }
  }

  #answer(method: string, path: string, query: URLSearchParams, sent: unknown) {
    if (this.refusal) {
      const body = this.refusal
      this.refusal = null
      return { status: body.status, body }
    }
    const body = JSON.parse(typeof sent === 'string' ? sent : '{}')
    if (path === 'tickets')
      return { status: 200, body: { ticket: '3.once', expires_in_ms: 30_000 } }
    if (method === 'GET') return { status: 200, body: this.#page(query) }
    const [, what = '', mark] = path.split('/')
    let before: string | null = null
    if (what === 'open') before = this.markAll('seen')
    else if (what === 'mark-all' && mark === 'undo') this.undoAll(body.mark, body.before)
    else if (what === 'mark-all') before = this.markAll(body.mark, body.through)
    else this.mark(Number(what), mark as Mark, method === 'PUT')
    return { status: 200, body: { before, counts: this.counts } }
  }

  #page(query: URLSearchParams) {
    const all = this.list(query.get('listing') ?? '')
    const cursor = query.get('cursor')
    const rest = cursor === null ? all : all.filter(({ delivered_at }) => delivered_at < cursor)
    const notifications = rest.slice(0, Number(query.get('limit')))
    const last = notifications.at(-1)?.delivered_at ?? null
    const next_cursor = rest.length > notifications.length ? last : null
    return { notifications, next_cursor, counts: this.counts, position: this.position }
  }

  #move(ids: number[], all: Partial<Record<Mark, string>> = {}): void {
    const after = this.#offset++
    this.#moves.push({ offset: this.#offset, ids, all: this.#frame(after, ids, all) })
    for (const socket of this.#served) this.#say(socket, this.#frame(after, ids, all))
  }

  #since(after: number): InboxFrame {
    const moves = this.#moves.filter(({ offset }) => offset > after)
    const ids = new Set(moves.flatMap((move) => move.ids))
    const all = Object.assign({}, ...moves.map((move) => move.all.all))
    // What a mark of all does not bear any more is told one by one.
    for (const mark of marks)
      if (all[mark] !== undefined)
        for (const [id, row] of this.#rows) if (!isMarked(mark, row, this.#user)) ids.add(id)
    return this.#frame(after, [...ids], all)
  }

  #frame(after: number, ids: readonly number[], all: Partial<Record<Mark, string>>) {
    const told = ids.map((id) => this.#rows.get(id))
    return {
      type: 'notifications' as const,
      epoch: `e${this.#epoch}`,
      after,
      through: this.#offset,
      all,
      notifications: told.flatMap((row) => (row ? [notificationOf(row, this.#user)] : [])),
      removed: ids.filter((id) => !this.#rows.has(id)),
      counts: this.counts,
    }
  }

  #reset(reason: 'epoch' | 'pruned'): InboxFrame {
    const [epoch, head] = [`e${this.#epoch}`, this.#offset]
    return { type: 'reset', reason, epoch, head, counts: this.counts }
  }

  #say(socket: FakeSocket, frame: InboxFrame): void {
    const text = JSON.stringify(frame)
    const say = () => void (this.#served.has(socket) && socket.say(text))
    if (this.isSlow) this.said.push(say)
    else say()
  }

  #pass(gate: (() => void)[]): Promise<void> {
    return this.isSlow ? new Promise((resolve) => gate.push(resolve)) : Promise.resolve()
  }

  /** A microsecond later. */
  #tick(): string {
    return `2026-11-21T08:00:00.${String(++this.#now).padStart(6, '0')}+00:00`
  }
}

const greeted = new WeakSet<FakeSocket>()
