import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'
import { freePort } from '../../dev/ports.ts'
import type { AtEnd } from './database.ts'
import { within } from './deadline.ts'
import { FeedWorker } from './feed-worker.ts'

const main = fileURLToPath(new URL('../../listener/main.ts', import.meta.url))

export type ListenerSettings = {
  databaseUrl: string
  feedUrl: string
  secret?: string
  /** Variables that are set otherwise than these say. */
  env?: { [name: string]: string }
}

/** The listener as its own process, the way it is deployed. It ends with the test. */
export class ListenerProcess {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #url: string
  readonly #heard = new Set<() => void>()
  /** The exit code, or the signal that killed it. */
  readonly exited: Promise<number | NodeJS.Signals>

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.#url = `http://127.0.0.1:${port}`
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (line) => {
          this.lines.push(line)
          for (const look of this.#heard) look()
        })
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'))
    })
  }

  static async start(
    { databaseUrl, feedUrl, secret = FeedWorker.secret, env }: ListenerSettings,
    atEnd: AtEnd = onTestFinished,
  ): Promise<ListenerProcess> {
    // Below those that outgoing connections are given: one of these may take a port that was free.
    const port = await freePort(20_000 + Math.floor(Math.random() * 10_000))
    const child = spawn(process.execPath, [main], {
      env: {
        ...process.env,
        NO_COLOR: '1',
        DATABASE_URL: databaseUrl,
        FEED_URL: feedUrl,
        LINK_SECRET: secret,
        PORT: String(port),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listener = new ListenerProcess(child, port)
    atEnd(() => listener.kill())
    return listener
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  /** Asks it to stop. @returns its exit code */
  stop(): Promise<number | NodeJS.Signals> {
    this.signal('SIGTERM')
    return within(15_000, 'the listener end', this.exited)
  }

  /** @returns the first line, already said or to come, that matches */
  said(pattern: RegExp, ms = 20_000, from = 0): Promise<string> {
    let look = () => {}
    const line = new Promise<string>((resolve) => {
      look = () => {
        const found = this.lines.slice(from).find((each) => pattern.test(each))
        if (found !== undefined) resolve(found)
      }
      this.#heard.add(look)
      look()
    })
    return within(ms, `a line like ${pattern}`, line)
      .catch((error: Error) => {
        throw new Error(`${error.message}; the listener said:\n${this.lines.join('\n')}`)
      })
      .finally(() => this.#heard.delete(look))
  }

  async health(): Promise<{ status: number; body: { [name: string]: unknown } }> {
    const response = await fetch(`${this.#url}/healthz`)
    return { status: response.status, body: (await response.json()) as { [name: string]: unknown } }
  }

  get healthUrl(): string {
    return this.#url
  }

  /** One of Prometheus' values. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    const match = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)
    if (!match) throw new Error(`there is no metric ${name}`)
    return Number(match[1])
  }

  /** Waits until one of Prometheus' values is at least so much. */
  reaches(name: string, least: number, ms = 20_000): Promise<void> {
    const enough = async () => {
      const value = await this.metric(name)
      if (value < least) throw new Error(`${name} is ${value}, not ${least}`)
    }
    return vi.waitFor(enough, { timeout: ms, interval: 20 })
  }
}
