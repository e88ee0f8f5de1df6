export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold'

/** What a command has around it, so that none touches the process itself. */
export type Terminal = {
  /** To stdout: what was asked for. */
  out(text: string): void
  /** To stderr: how it goes. */
  err(text: string): void
  /**
   * How far it has come: a line on stderr, which the next takes the place of, and null away. None
   * where stderr is no terminal.
   */
  progress(text: string | null): void
  /** Colour for stdout, if it is a terminal that wants it. */
  paint(colour: Colour, text: string): string
  paintErr(colour: Colour, text: string): string
  /** Columns of stdout; null if it is no terminal, where nothing is cut. */
  width(): number | null
  /** All of stdin. */
  readInput(): Promise<string>
  /** The same as it comes. */
  openInput(): ReadableStream<Uint8Array>
  /**
   * Calls `run` at the first Ctrl-C or SIGTERM; a second one ends the process.
   * @returns a function that listens no more
   */
  onInterrupt(run: () => void): () => void
  env: Readonly<Record<string, string | undefined>>
  cwd: string
}
