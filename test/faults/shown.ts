import type { Change } from '../../protocol/change.ts'
import type { Frame } from '../../protocol/frames.ts'
import type { Violations } from './violations.ts'

/** What was shown between two offsets: everything in (after, through] that matched. */
export type Stretch = {
  epoch: string
  after: number
  through: number
  offsets: number[]
  ids: string[]
}

/**
 * What one reader was shown, held against the protocol frame by frame, whichever door it came by.
 *
 * The law is one comparison: a frame begins where the one before it ended (P31). What begins
 * later is a hole, what begins earlier was shown before. Which changes *should* have been shown
 * is asked at the end, when the log is known.
 */
export class Shown {
  readonly name: string
  readonly #violations: Violations
  readonly #onChange: (change: Change) => void
  readonly stretches: Stretch[] = []
  #greeted = false
  frames = 0

  constructor(name: string, violations: Violations, onChange: (change: Change) => void = () => {}) {
    this.name = name
    this.#violations = violations
    this.#onChange = onChange
  }

  get position(): { epoch: string; offset: number } | null {
    const last = this.stretches.at(-1)
    return last ? { epoch: last.epoch, offset: last.through } : null
  }

  /** A new connection, which asks for what follows the position, or (`afresh`) from now on. */
  connecting({ afresh }: { afresh: boolean }): void {
    this.#greeted = false
    if (afresh && this.stretches.length > 0) this.#afresh = true
  }
  #afresh = false

  hear(frame: Frame): void {
    this.frames++
    switch (frame.type) {
      case 'hello':
        return this.#hello(frame.epoch, frame.after)
      case 'changes':
        return this.#changes(frame)
      case 'reset':
        this.#wrong(
          'P34',
          `reset (${frame.reason}) though nothing was pruned: ${JSON.stringify(frame)}`,
        )
    }
  }

  #hello(epoch: string, after: number): void {
    if (this.#greeted) this.#wrong('P30', 'a second hello on one connection')
    this.#greeted = true
    const last = this.stretches.at(-1)
    if (last && !this.#afresh) {
      if (epoch !== last.epoch || after !== last.through)
        this.#wrong('P30', `asked for ${last.epoch}:${last.through}, hello says ${epoch}:${after}`)
      return
    }
    this.#afresh = false
    this.stretches.push({ epoch, after, through: after, offsets: [], ids: [] })
  }

  #changes({ epoch, after, through, changes }: Extract<Frame, { type: 'changes' }>): void {
    const here = this.stretches.at(-1)
    if (!this.#greeted || !here) return this.#wrong('P30', 'changes came before hello')
    if (epoch !== here.epoch)
      return this.#wrong('P34', `epoch ${epoch} after ${here.epoch}, without a reset`)
    if (after > here.through)
      this.#wrong('P31', `a hole: stood at ${here.through}, the frame begins after ${after}`)
    if (after < here.through)
      this.#wrong('P31', `shown again: stood at ${here.through}, the frame begins after ${after}`)
    let last = after
    for (const change of changes) {
      if (change.offset <= last || change.offset > through)
        this.#wrong(
          'P32',
          `offset ${change.offset} in a frame of (${after}, ${through}] after ${last}`,
        )
      last = change.offset
      here.offsets.push(change.offset)
      here.ids.push(change.id)
      this.#onChange(change)
    }
    here.through = through
  }

  #wrong(promise: string, what: string): void {
    this.#violations.add(promise, `${this.name}: ${what}`)
  }
}
