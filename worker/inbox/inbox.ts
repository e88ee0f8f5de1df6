import { DurableObject } from 'cloudflare:workers'
import type { Change, Row } from '../../protocol/change.ts'
import { databaseAdvice } from '../api/database-failure.ts'
import { acceptAndClose, isUpgrade } from '../api/refusal.ts'
import { AttachedSessions } from '../doors/attached-sessions.ts'
import { cutsOf } from '../doors/revoked-in.ts'
import { type Cut, isOver, PRINCIPAL_HEADER, parsePrincipal, sessionOf } from '../doors/session.ts'
import type { Env } from '../env.ts'
import { StandingAlarm } from '../feed/standing-alarm.ts'
import { type Copy, countsOf } from './copy.ts'
import { deliverDue } from './deliver.ts'
import type { InboxDoor, InboxPage, PageRequest, Standing } from './door.ts'
import { DutyRecord } from './duty-record.ts'
import { heardIn, rowsAsHeard, writtenAsHeard } from './hear.ts'
import { pageOf } from './listing.ts'
import { LiveCopy } from './live-copy.ts'
import { Patience } from './patience.ts'
import { isAboutARow, Queries } from './queries.ts'
import { Sockets } from './sockets.ts'
import { dueIn, wakeAt } from './waking.ts'

/** How often to look which life the feed is in, while sockets are open. */
const LOOK_MS = 10 * 60_000
const MARKED_AT_ONCE = 100
/** What moves faster than it can be loaded is not run after. */
const LOADS_APART_MS = 1_000

/**
 * A user's inbox: the object that bears the user's id as its name.
 *
 * Postgres is authoritative, of marks and of time too. This object is a copy of the newest part of
 * an inbox (copy.ts), which every socket of its user hears of (sockets.ts), and the clock at which
 * Postgres is asked to deliver (deliver.ts). One that nobody has read keeps no copy, only the time.
 * Must hold: what was heard is in the copy, or the copy is stale and is filled again; counts are
 * those of the rows and the marks, and are told with each move. The alarm stands at the earliest
 * time for which anything waits.
 * On failure: while Postgres cannot be asked, what is here is served, and it is asked again with
 * backoff, for ever. What an eviction interrupts is begun again from what is stored.
 */
export class Inbox extends DurableObject<Env> implements InboxDoor {
  readonly #duties: DutyRecord
  readonly #sessions: AttachedSessions
  readonly #sockets: Sockets
  readonly #copy: LiveCopy
  readonly #alarm: StandingAlarm
  readonly #patience = new Patience()
  /** Before this the alarm does not fill the copy; whoever reads it does. */
  #loadAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#duties = new DutyRecord(ctx.storage.kv)
    this.#sessions = new AttachedSessions(ctx, {
      env,
      mayStay: (_socket, { user }) => user === this.#user,
      moved: () => this.#arm(),
    })
    this.#sockets = new Sockets(ctx, this.#sessions)
    this.#copy = new LiveCopy(ctx.storage, {
      ...{ duties: this.#duties, sockets: this.#sockets, patience: this.#patience },
      queries: () => this.#queries,
      attend: () => env.FEED.getByName('main').attendInbox(this.#user),
      // With all that was stored its alarm went.
      forgotten: () => this.#alarm.rang(),
    })
    this.#alarm = new StandingAlarm(ctx.storage)
    ctx.blockConcurrencyWhile(() => this.#arm())
  }

  // --- doors (door.ts) ------------------------------------------------------------------------

  async hear(changes: Change[], feed: string): Promise<void> {
    const end = changes.findLastIndex(({ table, op }) => table === 'users' && op === 'delete')
    if (end >= 0) await this.#copy.forget()
    for (const cut of cutsOf(changes)) this.#sessions.cut(cut)
    // Who missed something may have missed that.
    if (changes.some(({ op }) => op === 'truncate')) this.#sessions.lookUp()
    const rest = changes.slice(end + 1).filter(({ table }) => table !== 'revocations')
    this.#expect(rest.flatMap((change) => (change.new === null ? [] : [change.new])))
    if (this.#copy.now) this.#copy.comeTo(feed)
    if (!this.#copy.isOver(feed)) this.#copy.hear(heardIn(rest))
    await this.#arm()
  }

  async written(rows: { notifications: Row[]; user: Row | null }, feed: string): Promise<Standing> {
    this.#expect(rows.notifications)
    this.#copy.hear(writtenAsHeard(rows))
    return this.standing(feed)
  }

  async tell(rows: { notifications: Row[]; user: Row | null }): Promise<void> {
    this.#expect(rows.notifications)
    this.#copy.hear(writtenAsHeard(rows))
    await this.#arm()
  }

  async standing(feed: string): Promise<Standing> {
    const copy = await this.#ready(feed)
    return copy && standingOf(copy)
  }

  async page(request: PageRequest, feed: string): Promise<InboxPage> {
    const copy = await this.#ready(feed)
    if (!copy) return { kind: 'nobody' }
    const standing = standingOf(copy)
    const page = pageOf(copy, request, Date.now())
    return page
      ? { kind: 'page', ...page, standing }
      : { kind: 'beyond', user: copy.user, standing }
  }

  async wake(): Promise<void> {
    this.#duties.expect(Date.now())
    await this.#arm()
  }

  async cut(cut: Cut): Promise<void> {
    this.#sessions.cut(cut)
  }

  /** The socket (sockets.ts): `?feed=…&epoch=…&after=…`, and who asks. */
  override async fetch(request: Request): Promise<Response> {
    if (!isUpgrade(request)) return new Response('This address speaks WebSocket.', { status: 426 })
    const { searchParams: query } = new URL(request.url)
    const asking = parsePrincipal(request.headers.get(PRINCIPAL_HEADER))
    if (asking?.user !== this.#user || isOver(asking, Date.now()))
      return acceptAndClose('unauthorized', 'ask for another ticket, or a new token')
    try {
      const copy = await this.#ready(query.get('feed') ?? '')
      if (!copy) return acceptAndClose('unauthorized', 'there is no such user')
      const response = this.#sockets.open(copy, query, sessionOf(asking), Date.now())
      if (this.#duties.now.lookAt === null) this.#duties.change({ lookAt: Date.now() + LOOK_MS })
      await this.#arm()
      return response
    } catch (error) {
      return acceptAndClose('failed', databaseAdvice(error))
    }
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const refreshing = this.#sessions.heard(socket, message)
    if (refreshing) return refreshing
    const why = 'only the texts "ping" and "refresh <token>" are read here'
    this.#sockets.close(socket, 'bad_frame', why)
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close()
  }

  // --- the clock ------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    this.#alarm.rang()
    this.#sessions.expire(Date.now())
    try {
      await this.#tick(Date.now())
    } catch (error) {
      this.#patience.failed(error, Date.now())
    } finally {
      await this.#arm()
    }
  }

  async #tick(now: number): Promise<void> {
    this.#copy.hear([])
    const { dueAt, late, lookAt } = this.#duties.now
    if (lookAt !== null && lookAt <= now) await this.#look(now)
    if (!this.#patience.mayAsk(now)) return
    if (dueAt !== null && dueAt <= now) await this.#deliver()
    if (late.length > 0) await this.#markLate(late.slice(0, MARKED_AT_ONCE))
    if (!this.#copy.mustLoad || now < this.#loadAt) return
    await this.#copy.load()
    this.#loadAt = this.#copy.mustLoad ? Date.now() + LOADS_APART_MS : 0
  }

  async #deliver(): Promise<void> {
    const { life } = this.#copy
    this.#duties.beginAsking()
    const { troubled, nextAt } = await deliverDue(
      this.#queries,
      this.#duties.now.troubled,
      (rows) => this.#copy.hear(rowsAsHeard(rows, true)),
    )
    this.#patience.answered()
    if (life === this.#copy.life) this.#duties.endAsking(troubled, nextAt)
  }

  async #markLate(ids: readonly number[]): Promise<void> {
    const { life } = this.#copy
    const rows = await this.#queries.markUnseen(ids).catch((error) => {
      if (!isAboutARow(error)) throw error
      console.warn(JSON.stringify({ message: 'what came late stays seen', error: error.message }))
      return []
    })
    this.#patience.answered()
    if (life !== this.#copy.life) return
    this.#duties.change({ late: this.#duties.now.late.filter((id) => !ids.includes(id)) })
    this.#copy.hear(rowsAsHeard(rows, false))
  }

  /** A feed that began anew may have nothing to say for long. */
  async #look(now: number): Promise<void> {
    if (this.#sockets.isEmpty) return this.#duties.change({ lookAt: null })
    this.#duties.change({ lookAt: now + LOOK_MS })
    const { epoch } = await this.env.FEED.getByName('main').read(null, Number.MAX_SAFE_INTEGER)
    this.#copy.comeTo(epoch)
  }

  async #arm(): Promise<void> {
    await this.#alarm.setFor(() => {
      const now = Date.now()
      const clock = { askAt: this.#patience.askAt, loadAt: this.#loadAt, now }
      const at = wakeAt(this.#copy.now, this.#duties.now, clock)
      return Math.min(at, this.#sessions.wakeAt(now))
    })
  }

  async #ready(feed: string): Promise<Copy | null> {
    try {
      await this.#copy.ready(feed)
    } finally {
      await this.#arm()
    }
    // It may have moved since.
    return this.#copy.now
  }

  #expect(rows: readonly Row[]): void {
    const at = dueIn(rows, Date.now())
    if (at !== null) this.#duties.expect(at)
  }

  get #queries(): Queries {
    return new Queries(this.env, this.#user)
  }

  get #user(): string {
    const { name } = this.ctx.id
    if (name === undefined) throw new Error('An inbox has its user’s id as its name.')
    return name
  }
}

function standingOf(copy: Copy): NonNullable<Standing> {
  const { epoch, offset } = copy
  return { counts: countsOf(copy, Date.now()), position: { epoch, offset } }
}
