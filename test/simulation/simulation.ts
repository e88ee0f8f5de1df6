import type { Position } from '../../protocol/position.ts'
import { Checker } from './checker.ts'
import { setCurrent } from './current.ts'
import { ListenerProcess } from './listeners.ts'
import { DurableObject, type ServerLike } from './objects.ts'
import { Postgres } from './postgres.ts'
import { Feed, type FeedObject, Log, Shard } from './product.ts'
import type { Host, ServerSocket } from './sockets.ts'
import { sqliteStorage } from './sqlite.ts'
import { type Database, MAX_BATCH } from './stand-ins/database.ts'
import type { LogStorage, RealLog } from './stand-ins/log.ts'
import { Requests } from './stand-ins/outbox.ts'
import type { RecordsStorage } from './stand-ins/records.ts'
import { Subscriber } from './subscribers.ts'
import { type Process, World, type WorldOptions } from './world.ts'
import { Writer } from './writers.ts'

/** One in so many schedules has the canary in it, which takes steps from everyone else. */
const CANARY_EVERY = 8

/** Everything there is in one schedule, put together; who acts when is schedule.ts. */
export class Simulation {
  readonly world: World
  readonly postgres: Postgres
  readonly checker: Checker
  readonly writers: Writer[]
  readonly feed: DurableObject<FeedObject>
  readonly shards: DurableObject<ServerLike>[] = []
  readonly objects: DurableObject<ServerLike>[]
  readonly subscribers: Subscriber[] = []
  readonly sockets: ServerSocket[] = []
  /** Every connection that a listener has made. */
  readonly databases: Database[] = []
  /** The feed's own, to Postgres. */
  readonly requests = new Requests()
  listeners: ListenerProcess[] = []
  readonly canListen: boolean
  /** The listeners that lead write the canary. */
  readonly hasCanary: boolean
  /** In the end no listener is left. */
  readonly #isDeserted: boolean
  /** How much of the log goes into one page. */
  readonly pageCharacters: number
  /** How much may be sent ahead to one that acknowledges, and to one that does not. */
  readonly windowBytes: number
  readonly trustBytes: number
  readonly #storage: FeedStorage
  #listenersBorn = 0
  readonly #positions = new Map<object, Position>()
  /** The shard that moved in this step. */
  #moved: DurableObject<ServerLike> | null = null

  constructor(seed: number, options: WorldOptions & { sqlite: boolean }) {
    const world = new World(seed, options)
    const { random } = world
    this.world = world
    setCurrent(this)
    this.checker = new Checker(world)
    this.postgres = new Postgres(world, this.checker)
    this.canListen = random.chance(0.95)
    this.hasCanary = seed % CANARY_EVERY === 3
    this.#isDeserted = random.chance(0.1)
    this.pageCharacters = random.one([200, 1_000, 100_000])
    this.windowBytes = random.one([600, 1_500, 100_000])
    this.trustBytes = random.one([1_000, 100_000])
    this.writers = [1, 2, 3].map((n) => new Writer(world, this.postgres, `writer ${n}`))
    this.#storage = feedStorage(options.sqlite)
    this.feed = new DurableObject<FeedObject>(
      world,
      'feed',
      (context) =>
        new Feed(
          context,
          this.#env(() => this.feed.process),
        ),
      this.#storage,
    )
    for (const name of ['shard 1', 'shard 2'].slice(0, 1 + random.below(2))) this.#addShard(name)
    this.objects = [this.feed as unknown as DurableObject<ServerLike>, ...this.shards]
  }

  startListener(): void {
    const name = `listener ${++this.#listenersBorn}`
    this.listeners.push(new ListenerProcess(this.world, name))
  }

  addSubscriber(): void {
    const { random } = this.world
    const name = `reader ${this.subscribers.length + 1}`
    const kind = random.chance(0.35) ? 'live' : 'changes'
    const table = random.one(['orders', 'stock', kind === 'live' ? 'orders' : null])
    this.subscribers.push(
      new Subscriber(this.world, this.checker, this.postgres, {
        name,
        kind,
        table,
        filter: kind === 'changes' && random.chance(0.4) ? String(random.below(2)) : null,
        from: random.chance(0.4) ? { epoch: this.checker.epoch, offset: 0 } : null,
        versioned: random.chance(0.5),
        acks: random.one(['says', 'says', 'silent', 'mute']),
      }),
    )
  }

  /** Where a socket leads to. */
  objectAt({ pathname }: URL): Host {
    return pathname === '/link' ? this.feed : this.world.random.one(this.shards)
  }

  /**
   * The oldest batch goes, if all of it has left the outbox for good, nobody has it in hand who may
   * still append, and no batch is under way: retention is far longer than any of that.
   */
  prune(): boolean {
    const { log } = this.#storage
    const stalled = this.sockets.some(({ isHeard, state }) => !isHeard && state?.term !== undefined)
    if (stalled && this.world.broken !== 'an old link still speaks') return false
    if (!this.requests.isEmpty) return false
    if (log.real) return this.#pruneReal(log.real)
    const [oldest] = log.batches
    if (oldest === undefined || log.batches.length < 2) return false
    if (!this.#isForGood(oldest)) return false
    log.batches.shift()
    for (const { id } of oldest) log.seen.delete(id)
    this.checker.tail = oldest.at(-1)?.offset ?? 0
    return true
  }

  /** Nobody will bring these again who may. */
  #isForGood(changes: readonly { id: string }[]): boolean {
    if (!this.postgres.flushed) return false
    const owed = new Set(this.postgres.outbox.map(({ change }) => change))
    return !changes.some(
      ({ id }) => owed.has(id) || this.databases.some((database) => database.maySend(id)),
    )
  }

  #pruneReal(log: RealLog): boolean {
    const page = log.read(log.tail, Number.POSITIVE_INFINITY)
    if (typeof page === 'string') return false
    const oldest = (JSON.parse(page.changes) as { id: string; offset: number }[]).slice(
      0,
      MAX_BATCH,
    )
    const last = oldest.at(-1)
    if (last === undefined || !this.#isForGood(oldest)) return false
    const limits = { maxChanges: log.head - last.offset, maxAgeMs: 1e12, maxBytes: 1e12 }
    const pruned = log.prune(limits, Number.POSITIVE_INFINITY, this.world.now)
    this.checker.tail = log.tail
    return pruned > 0
  }

  #addShard(name: string): void {
    const kv = new Map<string, unknown>()
    const storage = {
      kv: {
        get: (key: string) => kv.get(key),
        put: (key: string, value: unknown) => {
          kv.set(key, value)
          this.#positions.set(shard, value as Position)
          this.#moved = shard
        },
      },
    }
    const shard: DurableObject<ServerLike> = new DurableObject(
      this.world,
      name,
      (context) =>
        new Shard(
          context,
          this.#env(() => shard.process),
        ),
      storage,
    )
    this.shards.push(shard)
  }

  #env(caller: () => Process): object {
    return {
      FEED: { getByName: () => this.feed.stubFor(caller) },
      SHARD: {
        getByName: (name: string) =>
          this.shards.find((shard) => shard.name === name)?.stubFor(caller),
      },
    }
  }

  /** After each step. */
  check(): void {
    for (const subscriber of this.subscribers) subscriber.check()
    this.#checkBell()
    if (this.#moved) this.#checkFrames(this.#moved)
    this.#moved = null
  }

  /** A shard's position has moved: everyone who is live there was sent what it stands for. */
  #checkFrames(shard: DurableObject<ServerLike>): void {
    const position = this.#positions.get(shard) as Position
    for (const { state, sent, readyState } of shard.sockets) {
      if (!state?.live || readyState !== 1 || sent?.epoch !== position.epoch) continue
      const { epoch, offset } = position
      const owed = this.checker.owed(state.subscription, epoch, sent.through, offset)
      if (owed.length > 0)
        this.world.violated(
          `${shard.name} moved to ${offset}, and a socket was not sent ${owed.join()}`,
        )
    }
  }

  // --- the end -----------------------------------------------------------------------------------

  /** What stands still goes on. */
  mend(): void {
    for (const { process } of this.listeners) process.frozen = false
    for (const socket of this.sockets) socket.stall(false)
  }

  /** Somebody can lead, or nobody does and the feed must do it. */
  keepListening(): void {
    const alive = this.listeners.filter(({ process }) => process.alive)
    if (this.#isDeserted) for (const listener of alive) listener.kill()
    else if (alive.length === 0) this.startListener()
  }

  get isAtRest(): boolean {
    return this.unrest === null
  }

  /** What is still owed to whom. */
  get unrest(): string | null {
    if (this.writers.some(({ isOpen }) => isOpen)) return 'a writer is open'
    if (!this.#isDeserted && !this.listeners.some(({ leads }) => leads)) return 'nobody leads'
    if (this.postgres.outbox.length > 0) return `${this.postgres.outbox.length} rows in the outbox`
    const late = this.subscribers.find(({ isCurrent }) => !isCurrent)
    return late ? `${late.process.name} is not current` : null
  }

  checkEnd(): void {
    for (const subscriber of this.subscribers) subscriber.compareRows()
  }

  /** P12: what is committed is heard, or somebody is on the way to say so. */
  #checkBell(): void {
    const session = this.postgres.lockedBy
    if (session === null || session.busy || session.ringing > 0 || !session.client.runs) return
    if (this.postgres.outbox.length === 0) return
    const listener = this.listeners.find(({ process }) => process === session.client)
    if (listener?.bell === 'asleep')
      this.world.violated(`P12 ${this.postgres.outbox.length} rows lie unheard in the outbox`)
  }
}

type FeedStorage = {
  log: LogStorage
  sql: RecordsStorage
  kv: KeyValues
  transactionSync<T>(run: () => T): T
  sync(): Promise<void>
}

type KeyValues = { get(key: string): unknown; put(key: string, value: unknown): void }

/** What comes out is not what went in, but says the same. */
function keyValues(): KeyValues {
  const kv = new Map<string, unknown>()
  return {
    get: (key) => structuredClone(kv.get(key)),
    put: (key, value) => void kv.set(key, structuredClone(value)),
  }
}

function feedStorage(sqlite: boolean): FeedStorage {
  return {
    log: { batches: [], seen: new Set(), real: sqlite ? new Log(sqliteStorage()) : null },
    sql: { life: null, shards: new Map(), nonces: new Set() },
    kv: keyValues(),
    transactionSync: (run) => run(),
    sync: async () => undefined,
  }
}
