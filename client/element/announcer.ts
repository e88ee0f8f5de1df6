import { make, say } from './dom.ts'

const GATHER_MS = 600

/** Tells a screen reader what arrives: one by its title, many in one sentence. */
export class Announcer {
  readonly element = make('div', { class: 'unseen', 'aria-live': 'polite', role: 'status' })
  #titles: string[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  announce(title: string): void {
    this.#titles.push(title)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const [first, ...others] = this.#titles.splice(0)
      say(
        this.element,
        others.length === 0
          ? `New notification: ${first}`
          : `${others.length + 1} new notifications`,
      )
    }, GATHER_MS)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#titles = []
    say(this.element, '')
  }
}
