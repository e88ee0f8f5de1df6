import { current } from './current.ts'
import { Listener } from './product.ts'
import type { Reachable } from './reach.ts'
import { Process, type World } from './world.ts'

/** One process that runs the real listener. */
export class ListenerProcess {
  readonly process: Process
  readonly #listener: Listener
  readonly #stop = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #world: World

  constructor(world: World, name: string) {
    this.#world = world
    this.process = new Process(name)
    this.#listener = new Listener(
      { databaseUrl: '', feedUrl: 'http://belfry.test', secret: '', name },
      metrics(world),
      (line) => world.note(`${name}: ${line}`),
    )
    world.act(this.process, 'starts', () => {
      this.#listener.run(this.#stop.signal, this.#giveUp.signal).then(
        () => this.#exit(),
        (error) => world.violated(`${name} threw ${String(error)}`),
      )
    })
  }

  /** null unless it leads. */
  get bell(): string | null {
    const { role } = this.#listener
    return role.role === 'leader' ? (role.bell?.() ?? null) : null
  }

  get leads(): boolean {
    return this.process.alive && this.#listener.role.role === 'leader'
  }

  /** SIGTERM. */
  stop(): void {
    this.#world.act(this.process, 'is asked to stop', () => this.#stop.abort(new Error('stopped')))
  }

  /** SIGKILL: what it had sent may still arrive, and its ends of connections are closed, or not. */
  kill(): void {
    const { random } = this.#world
    this.#world.note(`${this.process.name} is killed`)
    this.#exit()
    const { postgres } = current()
    for (const session of postgres.sessions)
      if (session.client === this.process && random.chance(0.7))
        this.#world.send(postgres.process, `${this.process.name}'s session ends`, () =>
          postgres.endSession(session),
        )
  }

  #exit(): void {
    this.#world.end(this.process)
    for (const socket of current().sockets) {
      if (socket.client.process !== this.process) continue
      if (this.#world.random.chance(0.5)) socket.client.close()
      else socket.cut({ client: false, server: this.#world.random.chance(0.7) })
    }
  }
}

/** Counts nothing, but says what is worth reaching. */
function metrics(world: World): object {
  const silent = { inc: () => undefined, set: () => undefined, observe: () => undefined }
  const reaches = (what: Reachable) => ({
    inc: (by = 1) => {
      if (by > 0) world.reach(what)
    },
  })
  return {
    leader: silent,
    term: silent,
    linkUp: silent,
    lagSeconds: silent,
    head: silent,
    asleep: { set: (asleep: number) => asleep === 1 && world.reach('asleep') },
    changes: silent,
    duplicates: reaches('a duplicate dropped'),
    oversize: silent,
    batches: silent,
    looks: silent,
    rings: reaches('a ring heard'),
    wakes: silent,
    sweepFound: reaches('a sweep found something'),
    reconnects: reaches('a new session'),
    ageSeconds: silent,
    beatSince: () => undefined,
    beaten: () => world.reach('a beat of the canary'),
  }
}
