import { serveRules } from '../../support/rules-server.ts'
import { type Bench, requireOrder } from '../bench.ts'
import { somePort, untilHealthy } from '../contestants.ts'
import { workerdLaunch } from '../workerd.ts'
import { type CoreTime, coreTime } from './core-time.ts'
import { heapBytes } from './heap.ts'
import { StandInListener } from './stand-in-listener.ts'

const SECRET = 'bench link'
const HEARD_MS = 30_000

/**
 * Belfry's worker on plain workerd, with a listener that makes its changes up: what is measured.
 * The subscribers are the bench's.
 */
export class Subject {
  readonly port: number
  readonly listener: StandInListener
  readonly #bench: Bench
  readonly #pid: number
  readonly #inspector: number
  readonly #stop: () => Promise<void>
  /** Changes since the subscribers count. */
  #sent = 0

  private constructor(
    bench: Bench,
    at: { port: number; inspector: number; pid: number; listener: StandInListener },
    stop: () => Promise<void>,
  ) {
    this.#bench = bench
    this.port = at.port
    this.listener = at.listener
    this.#pid = at.pid
    this.#inspector = at.inspector
    this.#stop = stop
  }

  /** For as long as `work` runs. */
  static async during<Result>(
    bench: Bench,
    shards: number,
    work: (subject: Subject) => Promise<Result>,
  ): Promise<Result> {
    const [port, inspector] = [await somePort(), await somePort()]
    const secrets = { DATABASE_URL: NO_DATABASE, LINK_SECRET: SECRET, ADMIN_TOKEN: 'bench' }
    const rules = await serveRules()
    const vars = { SHARDS_PER_REGION: String(shards), NEON_ENDPOINT: rules.url }
    const launch = workerdLaunch(bench.bundle, port, secrets, { vars, inspector })
    const part = await bench.stage.start('workerd', launch)
    await untilHealthy(`http://127.0.0.1:${port}`, part)
    const listener = await StandInListener.connect(port, SECRET)
    const subject = new Subject(bench, { port, inspector, pid: part.pid, listener }, async () => {
      await bench.subscribers('close', undefined)
      listener.close()
      await part.stop('SIGKILL')
      await rules.close()
    })
    try {
      return await work(subject)
    } finally {
      await subject.#stop()
    }
  }

  /** @returns what each of so many batches took of the worker's core, told to everyone there is */
  async batchUs({ batches, changes, bytes }: Batches, toldTo: number): Promise<number> {
    const us = await this.cpuUs(async () => {
      for (let batch = 0; batch < batches; batch++) {
        await this.listener.send({ batches: 1, changes, bytes })
        this.#sent += changes
        // So that each batch is a frame of its own.
        if (toldTo > 0)
          await this.#bench.subscribers('untilHeard', { changes: this.#sent, ms: HEARD_MS })
      }
    })
    return us / batches
  }

  /** Everyone there was leaves; so many come. @returns what each took of the worker's core */
  async open(count: number, options: OpenOptions = {}): Promise<number> {
    const { subscribers } = this.#bench
    await subscribers('close', undefined)
    await this.settle()
    const us = await this.cpuUs(async () => {
      await subscribers('open', { dialect: 'belfry, as text', port: this.port, count, ...options })
      await this.settle()
    })
    this.#sent = 0
    return us / count
  }

  /** Nothing of what was before is still under way. */
  settle(): Promise<void> {
    return this.#bench.subscribers('begin', undefined)
  }

  async pace(load: { perSecond: number; seconds: number; bytes: number }) {
    await this.settle()
    const began = performance.now()
    let sent = 0
    const { hadUs, waitedUs } = await this.#coreTime(async () => {
      const { changes } = await this.listener.pace(load)
      sent = changes
      await this.#bench.subscribers('untilHeard', { changes, ms: HEARD_MS })
    })
    const seconds = (performance.now() - began) / 1000
    const heard = await this.#bench.subscribers('report', undefined)
    requireOrder(heard, 'Belfry')
    return {
      perSecond: sent / seconds,
      use: hadUs / 1e6 / seconds,
      waited: waitedUs / 1e6 / seconds,
      p50Ms: heard.p50Ms ?? Number.NaN,
      p99Ms: heard.p99Ms ?? Number.NaN,
      position: heard.position,
    }
  }

  /** The time that the worker has on a core while `work` runs. */
  async cpuUs(work: () => Promise<unknown>): Promise<number> {
    return (await this.#coreTime(work)).hadUs
  }

  async #coreTime(work: () => Promise<unknown>): Promise<CoreTime> {
    const before = coreTime(this.#pid)
    await work()
    const { hadUs, waitedUs } = coreTime(this.#pid)
    return { hadUs: hadUs - before.hadUs, waitedUs: waitedUs - before.waitedUs }
  }

  /** Over how many shards the subscribers are spread. */
  async shards(): Promise<number> {
    const status = await fetch(`http://127.0.0.1:${this.port}/api/status`)
    return ((await status.json()) as { shards: unknown[] }).shards.length
  }

  heapBytes(): Promise<number> {
    return heapBytes(this.#inspector, this.port)
  }
}

export type Batches = { batches: number; changes: number; bytes: number }
type OpenOptions = {
  dialect?: 'belfry, as text' | 'belfry, filtered'
  from?: { epoch: string; offset: number }
}

/** No part of what is measured asks a database for anything. */
const NO_DATABASE = 'postgres://nobody:nothing@127.0.0.1:1/none'
