import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

export type Launch = { command: string; args: string[]; env: NodeJS.ProcessEnv }

/**
 * A process that we kill and start again, as often as the plan says, with one log for all its
 * lives. An end that we did not bring about is the process's own fault and is reported.
 */
export class Life {
  readonly name: string
  readonly #launch: () => Launch
  readonly #onOwnEnd: (how: string) => void
  readonly #log: WriteStream
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #doomed = false
  lines = 0

  constructor(name: string, folder: string, launch: () => Launch, onOwnEnd: (how: string) => void) {
    this.name = name
    this.#launch = launch
    this.#onOwnEnd = onOwnEnd
    this.#log = createWriteStream(`${folder}/${name}.log`, { flags: 'a' })
  }

  get running(): boolean {
    return this.#child !== null
  }

  start(): void {
    if (this.#child) return
    const { command, args, env } = this.#launch()
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#doomed = false
    this.note(`started as process ${child.pid}`)
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.#write(line))
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.note(`ended: ${signal ?? `code ${code}`}`)
        if (!this.#doomed) this.#onOwnEnd(signal ?? `code ${code}`)
        this.#child = null
        resolve()
      })
    })
  }

  /** It goes on running, or is stopped or thawed. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.note(signal)
    this.#child?.kill(signal)
  }

  /** Ends it. @param signal what it gets; one that is frozen ends only by SIGKILL */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (!this.#child) return
    this.#doomed = true
    this.note(`gets ${signal}`)
    this.#child.kill(signal)
    await this.#exited
  }

  note(text: string): void {
    this.#write(`--- ${text}`)
  }

  #write(line: string): void {
    this.lines++
    this.#log.write(`${new Date().toISOString()} ${line}\n`)
  }
}
