import type { Terminal } from '../../client/cli/terminal.ts'

/** A terminal that keeps what was written to it. Colours show as `<green>text</>`. */
export class FakeTerminal implements Terminal {
  stdout = ''
  stderr = ''
  env: Record<string, string> = {}
  /** A folder with no run in it or above. */
  cwd = '/'
  columns: number | null = null
  colours = false
  input = ''
  #interrupts = new Set<() => void>()
  #waiting = new Set<() => void>()

  out = (text: string) => {
    this.stdout += text
    for (const look of this.#waiting) look()
  }

  err = (text: string) => {
    this.stderr += text
    for (const look of this.#waiting) look()
  }

  /** All of it, as it went. */
  progressed: (string | null)[] = []
  progress = (text: string | null) => void this.progressed.push(text)

  paint = (colour: string, text: string) => (this.colours ? `<${colour}>${text}</>` : text)
  paintErr = this.paint
  width = () => this.columns
  readInput = async () => this.input
  openInput = () => new Blob([this.input]).stream() as ReadableStream<Uint8Array>

  onInterrupt = (run: () => void) => {
    this.#interrupts.add(run)
    return () => void this.#interrupts.delete(run)
  }

  /** Ctrl-C. */
  interrupt() {
    for (const run of this.#interrupts) run()
  }

  /** Resolves once what was written so far is as wanted; the test's own deadline ends it. */
  until(wanted: (terminal: this) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (!wanted(this)) return
      this.#waiting.delete(look)
      resolve()
    }
    this.#waiting.add(look)
    look()
    return promise
  }
}
