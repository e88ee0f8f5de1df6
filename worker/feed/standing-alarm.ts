type AlarmStorage = Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>

/**
 * An object's one alarm, kept at the earliest moment for which anybody waits. To set it is a
 * written row, so it is set only when it must come sooner.
 */
export class StandingAlarm {
  readonly #storage: AlarmStorage
  /** When it rings; null while the storage has not been asked. */
  #at: number | null = null

  constructor(storage: AlarmStorage) {
    this.#storage = storage
  }

  /** It rings: none is set any more. */
  rang(): void {
    this.#at = Number.POSITIVE_INFINITY
  }

  /** @param at when it must have rung, asked once it is known when it would */
  async setFor(at: () => number): Promise<void> {
    if (this.#at === null) {
      const set = await this.#storage.getAlarm()
      this.#at ??= set ?? Number.POSITIVE_INFINITY
    }
    const needed = at()
    if (this.#at <= needed) return
    this.#at = needed
    await this.#storage.setAlarm(needed)
  }
}
