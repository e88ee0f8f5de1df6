/** A clock that only events move, in microseconds. What is due at one moment happens in order. */
export class Clock {
  #now = 0
  #count = 0
  readonly #due: { at: number; order: number; happen: () => void }[] = []

  get now(): number {
    return this.#now
  }

  after(us: number, happen: () => void): void {
    const event = { at: this.#now + us, order: this.#count++, happen }
    let place = this.#due.length
    this.#due.push(event)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#due[parent] as typeof event
      if (!before(event, above)) break
      this.#due[place] = above
      place = parent
    }
    this.#due[place] = event
  }

  run(untilUs: number): void {
    for (let next = this.#due[0]; next && next.at <= untilUs; next = this.#due[0]) {
      this.#removeFirst()
      this.#now = next.at
      next.happen()
    }
    this.#now = untilUs
  }

  #removeFirst(): void {
    const last = this.#due.pop()
    if (last === undefined || this.#due.length === 0) return
    let place = 0
    for (;;) {
      const left = this.#due[2 * place + 1]
      const right = this.#due[2 * place + 2]
      if (left === undefined) break
      const [child, at] =
        right !== undefined && before(right, left) ? [right, 2 * place + 2] : [left, 2 * place + 1]
      if (!before(child, last)) break
      this.#due[place] = child
      place = at
    }
    this.#due[place] = last
  }
}

/** One thread: it does one piece of work after the other, in the order in which they came. */
export class Core {
  readonly #clock: Clock
  readonly #waiting: { us: number; done: () => void }[] = []
  #first = 0
  #busy = false
  /** Work done since the beginning. */
  busyUs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  work(us: number, done: () => void): void {
    this.#waiting.push({ us, done })
    if (!this.#busy) this.#next()
  }

  /** In equal pieces, each of which lets others go first that have come meanwhile. */
  workInTurns(us: number, turns: number, done: () => void): void {
    this.work(
      us / turns,
      turns === 1 ? done : () => this.workInTurns(us - us / turns, turns - 1, done),
    )
  }

  #next(): void {
    const piece = this.#waiting[this.#first]
    if (piece === undefined) {
      this.#waiting.length = this.#first = 0
      this.#busy = false
      return
    }
    this.#first++
    this.#busy = true
    this.#clock.after(piece.us, () => {
      this.busyUs += piece.us
      piece.done()
      this.#next()
    })
  }
}

/** So many at a time; who comes later waits for a place. */
export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  take(taken: () => void): void {
    if (this.#free === 0) return void this.#waiting.push(taken)
    this.#free--
    taken()
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

type Ordered = { at: number; order: number }

function before(one: Ordered, other: Ordered): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
