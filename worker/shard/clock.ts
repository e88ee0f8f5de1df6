import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import { StandingAlarm } from '../feed/standing-alarm.ts'

/** Earlier than promised (P35), because alarms come late. */
const BEAT_MS = (HEARTBEAT_MS * 2) / 3

/**
 * The shard's one alarm: as long as there are sockets it rings for each heartbeat, and in between
 * for a session that ends sooner. When the last heartbeat was is not stored: whoever wakes with
 * sockets begins with one.
 */
export class Clock {
  readonly #alarm: StandingAlarm
  readonly #sessions: { readonly nextEnd: number; wakeAt(now: number): number }
  /** When the next heartbeat is due; null while there is nobody. */
  #beatAt: number | null = null

  constructor(
    storage: Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>,
    sessions: { readonly nextEnd: number; wakeAt(now: number): number },
  ) {
    this.#alarm = new StandingAlarm(storage)
    this.#sessions = sessions
  }

  /** The object has woken with sockets. */
  woke(): void {
    this.#beatAt = 0
  }

  /** It rings. @returns whether for a heartbeat, and not for the end of a session alone */
  rang(now: number): boolean {
    this.#alarm.rang()
    const beatAt = this.#beatAt ?? now
    const isForBeat = beatAt <= now || this.#sessions.nextEnd >= beatAt
    if (isForBeat) this.#beatAt = now + BEAT_MS
    return isForBeat
  }

  async arm(isEmpty: boolean, now: number): Promise<void> {
    if (isEmpty) {
      this.#beatAt = null
      return
    }
    this.#beatAt ??= now + BEAT_MS
    const beatAt = this.#beatAt
    await this.#alarm.setFor(() => Math.min(beatAt, this.#sessions.wakeAt(now)))
  }
}
