import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { within } from '../support/deadline.ts'

/**
 * Every process of a run. Whoever starts one starts it here, so that the end of the run, a
 * failure and Ctrl-C all end every one of them.
 */
export class Stage {
  readonly #parts = new Set<Part>()

  /** @param ready the line by which the process says that it is of use */
  async start(name: string, launch: Launch, ready: RegExp | null = null): Promise<Part> {
    const { command, args, ...options } = launch
    const life = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const part = this.#keep(new Part(name, life))
    if (ready) await within(20_000, `${name} say ${ready}`, part.said(ready))
    return part
  }

  /** A module of ours with which the run speaks (see load/calls.ts). */
  fork(name: string, module: string, args: string[] = []): Part {
    const life = fork(module, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    return this.#keep(new Part(name, life))
  }

  async end(): Promise<void> {
    await Promise.all([...this.#parts].map((part) => part.stop('SIGKILL')))
  }

  /** At once, without waiting. */
  kill(): void {
    for (const { life } of this.#parts) life.kill('SIGKILL')
  }

  #keep(part: Part): Part {
    this.#parts.add(part)
    void part.ended.then(() => this.#parts.delete(part))
    return part
  }
}

export type Launch = { command: string; args: string[] } & Pick<
  SpawnOptions,
  'cwd' | 'env' | 'uid' | 'gid'
>

const KEPT_LINES = 40

export class Part {
  readonly name: string
  readonly life: ChildProcess
  readonly ended: Promise<void>
  readonly #lines: string[] = []
  readonly #looks = new Set<(line: string) => void>()

  constructor(name: string, life: ChildProcess) {
    this.name = name
    this.life = life
    this.ended = new Promise((resolve) => {
      life.once('error', () => resolve())
      life.once('exit', () => resolve())
    })
    for (const stream of [life.stdout, life.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line)
          if (this.#lines.length > KEPT_LINES) this.#lines.shift()
          for (const look of this.#looks) look(line)
        })
  }

  get pid(): number {
    return this.life.pid as number
  }

  get running(): boolean {
    return this.life.exitCode === null && this.life.signalCode === null
  }

  /** What it printed last. */
  get lines(): string {
    return this.#lines.join('\n')
  }

  said(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (line: string) => {
        if (pattern.test(line)) resolve()
      }
      this.#looks.add(look)
      for (const line of this.#lines) look(line)
      void this.ended.then(() => reject(new Error(`${this.name} ended:\n${this.lines}`)))
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return
    this.life.kill(signal)
    const late = setTimeout(() => this.life.kill('SIGKILL'), 5_000)
    await this.ended
    clearTimeout(late)
  }
}
