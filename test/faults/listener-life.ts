import { fileURLToPath } from 'node:url'
import { Life } from './life.ts'

const MAIN = fileURLToPath(new URL('../../listener/main.ts', import.meta.url))
const CLOCK = new URL('./clock.ts', import.meta.url).href

/** What the listener counts and a run adds up over all lives. */
export const COUNTED = [
  'belfry_duplicates_total',
  'belfry_sweep_found_total',
  'belfry_reconnects_total',
  'belfry_oversize_total',
  'belfry_batches_total',
  'belfry_wakes_total',
  'belfry_rings_total',
] as const
export type Counted = (typeof COUNTED)[number]

export type Health = { role: string; term?: number; bell?: string; linked?: boolean }

/** A listener as it is deployed, but for a clock that can be moved. */
export class ListenerLife extends Life {
  readonly #url: string
  /** Of the lives before this one, as last read. */
  readonly #before = new Map<Counted, number>()
  readonly #now = new Map<Counted, number>()

  constructor(
    name: string,
    folder: string,
    env: Record<string, string>,
    onOwnEnd: (how: string) => void,
  ) {
    const launch = () => ({
      command: process.execPath,
      args: ['--import', CLOCK, MAIN],
      env: { ...process.env, ...env, NO_COLOR: '1' },
    })
    super(name, folder, launch, onOwnEnd)
    this.#url = `http://127.0.0.1:${env.PORT}`
  }

  override start(): void {
    for (const [name, value] of this.#now)
      this.#before.set(name, (this.#before.get(name) ?? 0) + value)
    this.#now.clear()
    super.start()
  }

  /** @returns null when it does not answer: it is down, frozen or just starting */
  async health(): Promise<Health | null> {
    const response = await this.#get('/healthz')
    if (!response) return null
    return response
      .json()
      .then((body) => body as Health)
      .catch(() => null)
  }

  /** Reads its counters; what a life counted after the last reading before it was killed is lost. */
  async readCounters(): Promise<void> {
    const text = await (await this.#get('/metrics'))?.text().catch(() => '')
    if (!text) return
    for (const name of COUNTED) {
      const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
      if (value !== undefined) this.#now.set(name, Number(value))
    }
  }

  counted(name: Counted): number {
    return (this.#before.get(name) ?? 0) + (this.#now.get(name) ?? 0)
  }

  async #get(path: string): Promise<Response | null> {
    if (!this.running) return null
    try {
      return await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(500) })
    } catch {
      return null
    }
  }
}
