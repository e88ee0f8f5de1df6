import type { CapturedChange } from '../../protocol/change.ts'
import { type Beat, sortOut } from './canary.ts'
import type { Appended, Log } from './log.ts'

/**
 * The one way into the log, whoever brings the changes: the canary's beats are taken out here, so
 * that nothing behind it ever sees one (P70). They count as appended, since they may be forgotten.
 */
export class Intake {
  readonly #log: Pick<Log, 'head' | 'append'>
  readonly #onBeat: (beat: Beat, now: number) => void

  /** @param onBeat called once what came before the beat is in the log */
  constructor(log: Pick<Log, 'head' | 'append'>, onBeat: (beat: Beat, now: number) => void) {
    this.#log = log
    this.#onBeat = onBeat
  }

  get head(): number {
    return this.#log.head
  }

  append(captured: readonly CapturedChange[], now: number): Appended {
    const { changes, beats } = sortOut(captured)
    const appended = changes.length > 0 ? this.#log.append(changes, now) : this.#nothing()
    for (const beat of beats) this.#onBeat(beat, now)
    return appended
  }

  #nothing(): Appended {
    const { head } = this.#log
    return { after: head, through: head, duplicates: 0 }
  }
}
