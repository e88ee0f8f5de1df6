import { WINDOW_BYTES } from '../../../worker/shard/limits.ts'
import { costOf, type Line } from './costs.ts'
import type { Clock, Core, Places } from './engine.ts'

/** Who is told how far the log has come. `answer` is called when the caller may tell of more. */
export type Hearer = { hear(through: number, answer: () => void): void }

/** What a shard takes at once that has many sockets (worker/shard/limits.ts). */
const PAGE_BYTES = WINDOW_BYTES / 2

/**
 * Tells others what it was told: the feed, or a relay behind it. One call to each is under way at
 * a time, and what comes meanwhile goes in the next one.
 */
export class Sender implements Hearer {
  readonly core: Core
  calls = 0
  readonly #clock: Clock
  readonly #places: Places
  readonly #call: Line
  readonly #bytesPerChange: number
  readonly #others: Other[] = []
  #head = 0

  constructor(
    { clock, core, places }: { clock: Clock; core: Core; places: Places },
    call: Line,
    bytesPerChange: number,
  ) {
    this.#clock = clock
    this.core = core
    this.#places = places
    this.#call = call
    this.#bytesPerChange = bytesPerChange
  }

  get others(): number {
    return this.#others.length
  }

  add(hearer: Hearer, rttMs: number): void {
    this.#others.push({ hearer, rttUs: rttMs * 1000, sent: 0, calling: false })
  }

  hear(through: number, answer: () => void): void {
    this.#head = through
    answer()
    for (const other of this.#others) if (!other.calling) this.#tell(other)
  }

  #tell(other: Other): void {
    other.calling = this.#head > other.sent
    if (!other.calling) return
    const most = Math.max(1, Math.floor(PAGE_BYTES / this.#bytesPerChange))
    const through = Math.min(this.#head, other.sent + most)
    const bytes = (through - other.sent) * this.#bytesPerChange
    other.sent = through
    this.calls++
    this.core.work(costOf(this.#call, bytes), () => {
      this.#places.take(() =>
        this.#clock.after(other.rttUs / 2, () =>
          other.hearer.hear(through, () =>
            this.#clock.after(other.rttUs / 2, () => {
              this.#places.give()
              this.#tell(other)
            }),
          ),
        ),
      )
    })
  }
}

type Other = { hearer: Hearer; rttUs: number; sent: number; calling: boolean }
