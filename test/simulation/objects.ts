import { EVERY_TABLE, SCOPE_HEADER } from '../../protocol/scope.ts'
import { PRINCIPAL_HEADER } from '../../worker/doors/session.ts'
import { current } from './current.ts'
import type { Host, ServerSocket } from './sockets.ts'
import { Process, type World } from './world.ts'

/**
 * Durable Objects: an instance that may vanish at any time, storage that stays, one alarm, and
 * sockets that outlive the instance's sleep but not its death. Calls between objects may be
 * lost on either way, and the caller then hears an error, in its own time.
 */
export class DurableObject<Instance extends ServerLike> implements Host {
  readonly name: string
  readonly world: World
  process: Process
  instance: Instance
  readonly sockets = new Set<ServerSocket>()
  alarm: number | null = null
  readonly #make: (context: ObjectContext) => Instance
  readonly #context: ObjectContext
  #calls: Call[] = []

  constructor(
    world: World,
    name: string,
    make: (context: ObjectContext) => Instance,
    storage: object,
  ) {
    this.world = world
    this.name = name
    this.#make = make
    this.#context = this.#contextWith(storage)
    this.process = new Process(name)
    this.instance = this.#start()
  }

  // --- sockets -----------------------------------------------------------------------------------

  accept(socket: ServerSocket, address: string): void {
    this.sockets.add(socket)
    this.instance.onConnect(socket, {
      request: { url: address, headers: { get: (name) => ofTheDoor[name] ?? socket.id } },
    })
  }

  heard(socket: ServerSocket, text: string): void {
    current().checker.speaking = socket.state?.term ?? null
    this.instance.onMessage(socket, text)
  }

  closed(socket: ServerSocket): void {
    this.sockets.delete(socket)
    this.instance.onClose?.(socket)
  }

  // --- calls -------------------------------------------------------------------------------------

  /** @returns what another object holds to call this one */
  stubFor(caller: () => Process): Instance {
    return new Proxy({} as Instance, {
      get:
        (_, method) =>
        (...args: unknown[]) =>
          this.#call(caller(), String(method), args),
    })
  }

  #call(caller: Process, method: string, args: unknown[]): Promise<unknown> {
    const { world } = this
    return new Promise((resolve, reject) => {
      const call: Call = { caller, open: true, fail: () => undefined }
      const settle = (label: string, run: () => void) => {
        if (!call.open) return
        call.open = false
        this.#calls = this.#calls.filter((other) => other !== call)
        world.answer(caller, label, run)
      }
      call.fail = (why) => settle(`${method} failed: ${why}`, () => reject(new Error(why)))
      this.#calls.push(call)
      world.send(this.process, `${method}(${this.#brief(args)}) is asked`, () => {
        const method_ = (this.instance as unknown as Methods)[method]
        if (!method_) throw new Error(`${this.name} has no ${method}`)
        method_.apply(this.instance, args).then(
          (value) =>
            settle(`${this.name} answers ${method}: ${this.#brief(value)}`, () => resolve(value)),
          (error: unknown) => call.fail(String(error)),
        )
      })
    })
  }

  /** The way of one call to this object breaks: perhaps before it came, perhaps after. */
  loseCall(): boolean {
    const call = this.#calls[0]
    call?.fail('the call was lost')
    return call !== undefined
  }

  #brief(value: unknown): string {
    return this.world.trace === null ? '' : (JSON.stringify(value)?.slice(0, 160) ?? '')
  }

  // --- life --------------------------------------------------------------------------------------

  /** Only what nothing waits for may sleep. */
  hibernate(): boolean {
    const busy =
      this.#calls.length > 0 ||
      this.world.isAnswered(this.process) ||
      this.world.timers.some(({ process }) => process === this.process) ||
      current().objects.some((other) => other.isCalledBy(this.process))
    if (busy) return false
    for (const socket of this.sockets) socket.forgotten()
    this.#restart()
    return true
  }

  /** The object moves, is deployed anew, or fails: its sockets go with it. */
  crash(): void {
    for (const socket of this.sockets) socket.gone()
    this.sockets.clear()
    for (const call of [...this.#calls]) call.fail('the object was reset')
    this.#restart()
  }

  isCalledBy(process: Process): boolean {
    return this.#calls.some(({ caller }) => caller === process)
  }

  /** @returns false if no alarm is due */
  ring(): boolean {
    if (this.alarm === null || this.alarm > this.world.now) return false
    this.alarm = null
    current().checker.speaking = null
    this.world.act(this.process, 'alarm', () => void this.instance.onAlarm())
    return true
  }

  #restart(): void {
    const before = this.process
    this.process = new Process(this.name)
    // What was said to the object is said to its next instance; an answer was the old one's.
    for (const arrival of this.world.underWay)
      if (arrival.to === before && !arrival.isAnswer) arrival.to = this.process
    this.world.end(before)
    this.world.act(this.process, 'starts anew', () => {
      this.instance = this.#start()
    })
  }

  #start(): Instance {
    return this.#make(this.#context)
  }

  #contextWith(storage: object): ObjectContext {
    const { world, name } = this
    const alarm = {
      getAlarm: async () => this.alarm,
      setAlarm: async (at: number) => {
        this.alarm = at
      },
    }
    return {
      name,
      storage: Object.assign(storage, alarm),
      sockets: () => this.sockets,
      getWebSockets: () => [...this.sockets],
      setWebSocketAutoResponse: () => undefined,
      getWebSocketAutoResponseTimestamp: () => null,
      waitUntil: (promise) => {
        promise.catch((error: unknown) => {
          world.note(`${name}: ${String(error)}`)
        })
      },
    }
  }
}

/** What the worker says to an object; what the feed reads besides is the nonce of a link. */
const ofTheDoor: { [name: string]: string } = {
  [SCOPE_HEADER]: JSON.stringify(EVERY_TABLE),
  [PRINCIPAL_HEADER]: JSON.stringify({
    name: 'operator',
    kind: 'operator',
    user: null,
    scopes: ['admin'],
    expiresAt: null,
    issuedAt: null,
  }),
}

export type ServerLike = {
  onConnect(
    socket: ServerSocket,
    context: { request: { url: string; headers: { get(name: string): string } } },
  ): void
  onMessage(socket: ServerSocket, text: string): void
  onClose?(socket: ServerSocket): void
  onAlarm(): Promise<void>
}

export type ObjectContext = {
  name: string
  storage: object
  sockets(): Iterable<ServerSocket>
  getWebSockets(): ServerSocket[]
  setWebSocketAutoResponse(): void
  getWebSocketAutoResponseTimestamp(): null
  waitUntil(promise: Promise<unknown>): void
}

type Call = { caller: Process; open: boolean; fail: (why: string) => void }
type Methods = { [method: string]: ((...args: unknown[]) => Promise<unknown>) | undefined }
