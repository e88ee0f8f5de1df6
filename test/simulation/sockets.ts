import type { Subscription } from '../../protocol/subscription.ts'
import { current } from './current.ts'
import type { Process, Way, World } from './world.ts'

/**
 * WebSockets between a client and an object. Each direction keeps its order; a broken way loses
 * what is on it, and each end hears of that in its own time, or never.
 */

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

/** One direction: what was said first is heard first. */
class Lane {
  readonly #world: World
  readonly #to: () => Process
  readonly #queue: { label: string; run: () => void }[] = []
  readonly way: Way = { stalled: false }
  #cut = false

  constructor(world: World, to: () => Process) {
    this.#world = world
    this.#to = to
  }

  say(label: string, run: () => void): void {
    if (this.#cut) return
    this.#queue.push({ label, run })
    if (this.#queue.length === 1) this.#launch()
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  cut(): void {
    this.#cut = true
    this.#queue.length = 0
  }

  #launch(): void {
    const [first] = this.#queue
    if (first === undefined) return
    const arrive = () => {
      if (this.#queue[0] !== first) return
      this.#queue.shift()
      this.#launch()
      first.run()
    }
    this.#world.send(this.#to(), first.label, arrive, this.way)
  }
}

type Listener = (event: { type: string; data?: unknown; code?: number; reason?: string }) => void

/** The client's end: the WebSocket of the listener and of the SDK. */
export class ClientSocket {
  static readonly READY_STATE_OPEN = OPEN
  readyState = CONNECTING
  binaryType = 'blob'
  readonly process: Process
  readonly server: ServerSocket
  readonly #listeners: { type: string; run: Listener }[] = []

  constructor(address: string | URL) {
    const simulation = current()
    const { world } = simulation
    this.process = world.acting
    const url = new URL(address)
    if (this.process.acks === 'silent') url.searchParams.delete('acks')
    const host = simulation.objectAt(url)
    const up = new Lane(world, () => host.process)
    const down = new Lane(world, () => this.process)
    this.server = new ServerSocket(this, host, up, down)
    simulation.sockets.push(this.server)
    up.say('a socket arrives', () => {
      down.say('the socket is open', () => {
        if (this.readyState !== CONNECTING) return
        this.readyState = OPEN
        this.#tell('open', {})
      })
      host.accept(this.server, String(url))
    })
  }

  addEventListener(type: string, run: Listener): void {
    this.#listeners.push({ type, run })
  }

  send(text: string): void {
    if (this.process.acks === 'mute' && text.startsWith('ack ')) return
    if (this.readyState === OPEN) this.server.fromClient(text)
  }

  close(): void {
    if (this.readyState >= CLOSING) return
    this.readyState = CLOSED
    this.server.closedByClient()
  }

  hear(data: string): void {
    if (this.readyState !== OPEN) return
    if (data.startsWith('{"type":"reset"')) this.process.wasReset = true
    this.#tell('message', { data })
  }

  closed(code: number, reason: string): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#tell('close', { code, reason })
  }

  #tell(type: string, event: { data?: string; code?: number; reason?: string }): void {
    for (const listener of this.#listeners)
      if (listener.type === type) listener.run({ type, ...event })
  }
}

/** What holds server sockets: a Durable Object. */
export type Host = {
  process: Process
  accept(socket: ServerSocket, address: string): void
  heard(socket: ServerSocket, text: string): void
  closed(socket: ServerSocket): void
}

/** The mutations under which a link that was replaced keeps its say. */
const STILL_SPEAKS = new Set<string>(['an old link still speaks', 'fencing off'])

const FRAME =
  /^\{"type":"(hello|changes|reset)",.*?"epoch":"(\w+)",(?:"after"|"head"):(\d+)(?:,"through":(\d+))?/

let sockets = 0

/** What links and shards keep of a socket, each its own. */
type SocketState = { term?: number; acks?: boolean } & (
  | { live?: false }
  | { live: true; subscription: Subscription }
)

/** The object's end, as partyserver hands it over. */
export class ServerSocket {
  readonly id = `socket ${++sockets}`
  readyState = OPEN
  state: SocketState | null = null
  /** How far the frames went that were sent on it. */
  sent: { epoch: string; through: number } | null = null
  readonly client: ClientSocket
  readonly host: Host
  readonly #up: Lane
  readonly #down: Lane
  /** Bytes that were sent and have not arrived, as far as the object can know of them. */
  #ahead = 0
  #sleeps = 0

  constructor(client: ClientSocket, host: Host, up: Lane, down: Lane) {
    this.client = client
    this.host = host
    this.#up = up
    this.#down = down
  }

  /** Nothing that the client said is still under way. */
  get isHeard(): boolean {
    return this.#up.isEmpty
  }

  setState(state: SocketState): void {
    const silenced = this.state?.term !== undefined && state.term === undefined
    if (silenced && STILL_SPEAKS.has(current().world.broken ?? '')) return
    this.state = state
  }

  send(text: string): void {
    if (this.readyState !== OPEN) throw new Error('this socket is closed')
    this.#follow(text)
    const { windowBytes, world } = current()
    // A reset is said at once, however little room there is.
    if (this.state?.acks && this.#ahead > windowBytes && !text.startsWith('{"type":"reset"'))
      world.violated(`P39 ${this.id} was sent more, with ${this.#ahead} bytes on their way`)
    const sleeps = this.#sleeps
    this.#ahead += text.length
    this.#down.say(text.slice(0, 160), () => {
      if (sleeps === this.#sleeps) this.#ahead -= text.length
      this.client.hear(text)
    })
  }

  /** The object sleeps, and when it wakes it knows nothing of what is on its way. */
  forgotten(): void {
    this.#sleeps++
    this.#ahead = 0
  }

  /** P31: each frame begins where the one before ended. */
  #follow(text: string): void {
    const frame = FRAME.exec(text)
    if (frame === null) return
    const [, type, epoch, from, through] = frame as unknown as [
      string,
      string,
      string,
      string,
      string?,
    ]
    const after = Number(from)
    if (type === 'changes' && (this.sent?.epoch !== epoch || this.sent.through !== after))
      current().world.violated(
        `P31 ${this.id} was told ${epoch}:${after} after ${this.sent?.epoch}:${this.sent?.through}`,
      )
    this.sent = { epoch, through: Number(through ?? from) }
  }

  close(code: number, reason: string): void {
    if (this.readyState !== OPEN) return
    if (code === 4408) current().world.reach('a subscriber closed as too slow')
    this.readyState = CLOSING
    this.#down.say(`closed: ${code} ${reason}`, () => {
      this.client.closed(code, reason)
      this.#up.say('the other end has closed too', () => this.#over())
    })
  }

  fromClient(text: string): void {
    if (text === 'ping')
      this.#up.say('ping', () => this.#down.say('pong', () => this.client.hear('pong')))
    else this.#up.say(text.slice(0, 160), () => this.host.heard(this, text))
  }

  closedByClient(): void {
    this.#up.say('the other end closes', () => this.#over())
  }

  /** The way is gone. Each end hears of it later, if it is told at all. */
  cut(ends: { client: boolean; server: boolean }): void {
    const { world } = current()
    this.#up.cut()
    this.#down.cut()
    if (ends.client)
      world.send(this.client.process, 'the socket broke', () => this.client.closed(1006, ''))
    if (ends.server) world.send(this.host.process, 'a socket broke', () => this.#over())
  }

  /** Both ways stand still, or go on. */
  stall(stalled: boolean): void {
    this.#up.way.stalled = stalled
    this.#down.way.stalled = stalled
  }

  /** The object is gone, and its end of the socket with it. */
  gone(): void {
    this.readyState = CLOSED
    this.cut({ client: true, server: false })
  }

  #over(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.host.closed(this)
  }
}
