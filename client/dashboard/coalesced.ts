/**
 * However often it is asked, `run` is under way at most once, with a rest between two: what is
 * asked for meanwhile comes down to one more. What a run sees is never older than the last `ask`
 * before it began.
 */
export type Coalesced = {
  ask(): void
  /** Another question than before: what is under way is given up, and no rest is taken. */
  restart(): void
  stop(): void
}

/** @param run must not reject; its signal says that its answer is no longer wanted */
export function coalesced(run: (signal: AbortSignal) => Promise<void>, restMs: number): Coalesced {
  let underWay: AbortController | null = null
  let rest: ReturnType<typeof setTimeout> | null = null
  let asked = false

  function begin() {
    asked = false
    const mine = new AbortController()
    underWay = mine
    void run(mine.signal).finally(() => {
      if (underWay !== mine) return
      underWay = null
      rest = setTimeout(() => {
        rest = null
        if (asked) begin()
      }, restMs)
    })
  }

  function stop() {
    underWay?.abort()
    underWay = null
    if (rest !== null) clearTimeout(rest)
    rest = null
    asked = false
  }

  return {
    ask() {
      asked = true
      if (underWay === null && rest === null) begin()
    },
    restart() {
      stop()
      begin()
    },
    stop,
  }
}
