/**
 * Rings heard and not yet answered. They carry no truth: however many there are, one look at the
 * outbox answers all that were rung before it.
 */
export class Rings {
  #heard = 0
  #wakeUp: (() => void) | null = null

  ring(): void {
    this.#heard++
    this.#wakeUp?.()
  }

  /** Ends a wait without counting as a ring. */
  interrupt(): void {
    this.#wakeUp?.()
  }

  /** @returns how many were heard since the last time */
  take(): number {
    const heard = this.#heard
    this.#heard = 0
    return heard
  }

  /**
   * Waits for a ring, which may have been heard already, or for so long.
   * @returns whether there was one
   */
  async wait(ms: number): Promise<boolean> {
    if (this.#heard > 0) return true
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wakeUp = null
    return this.#heard > 0
  }
}
