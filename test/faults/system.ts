import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../../dev/child.ts'
import type { LocalServer } from '../../dev/local-http.ts'
import { ensureLogins } from '../../dev/logins.ts'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { supervisePostgres } from '../../dev/postgres.ts'
import { migrate } from '../../drizzle/migrate.ts'
import { OPEN_DOORS } from '../support/open-doors.ts'
import { Life } from './life.ts'
import { ListenerLife } from './listener-life.ts'
import { makeTables, WRITER } from './tables.ts'
import type { Violations } from './violations.ts'
import { Wire } from './wire.ts'
import { prepareWorkerd } from './workerd.ts'

const ALERT_RECIPIENT = 'staff@belfry.test'
const SECRET = 'the link secret of the faults'
const AUTH_SECRET = 'the secret of the faults, with which users are signed in'
export const ADMIN_TOKEN = 'admin-token-of-the-faults'
const LISTENERS = 2

/**
 * Everything real, as processes that can be killed, with a wire on each way that can be cut:
 *
 *   writers ──▶ Postgres ◀─ database wire ─ listeners ─ link wire ─▶ workerd ◀─ street wire ─ readers
 *
 * The checker and the faults themselves go by no wire.
 */
export class System {
  readonly folder: string
  readonly secret = SECRET
  readonly violations: Violations
  readonly doorPort: number
  /** Past every wire. */
  readonly workerUrl: string
  readonly databaseUrl: string
  readonly worker: Life
  readonly listeners: readonly ListenerLife[]
  readonly wires: { database: Wire; link: Wire; street: Wire }
  readonly #postgres: Postgres
  readonly #neon: LocalServer

  private constructor(parts: Parts) {
    this.folder = parts.folder
    this.violations = parts.violations
    this.doorPort = parts.doorPort
    this.workerUrl = `http://127.0.0.1:${parts.workerPort}`
    this.databaseUrl = parts.postgres.url
    this.worker = parts.worker
    this.listeners = parts.listeners
    this.wires = parts.wires
    this.#postgres = parts.postgres
    this.#neon = parts.neon
  }

  /** Postgres, its tables and the worker; the listeners are there and not yet started. */
  static async start(violations: Violations, say: (line: string) => void): Promise<System> {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-faults-'))
    // The account that PostgreSQL runs as, when we are root, must be able to get there.
    chmodSync(folder, 0o755)
    const postgres = await startPostgres(folder)
    try {
      const system = await System.#around(postgres, folder, violations)
      say(`everything runs; data and logs are in ${folder}`)
      return system
    } catch (error) {
      await postgres.child.stop()
      throw error
    }
  }

  static async #around(
    postgres: Postgres,
    folder: string,
    violations: Violations,
  ): Promise<System> {
    await migrate(postgres.url)
    await makeTables(postgres.url)
    const logins = await ensureLogins(postgres.url)
    const neon = await serveNeonEndpoint(logins.worker, await freePort())
    const workerPort = await freePort(20_000 + Math.floor(Math.random() * 10_000))
    const doorPort = await freePort(workerPort + 1)
    const wires = {
      database: await Wire.to(() => Number(new URL(postgres.url).port)),
      link: await Wire.to(() => workerPort),
      street: await Wire.to(() => workerPort),
    }
    const own = (name: string) => (how: string) =>
      violations.add('a process ended by itself', `${name}: ${how}; see its log`)
    const vars = {
      DATABASE_URL: logins.worker,
      NEON_ENDPOINT: neon.url,
      LINK_SECRET: SECRET,
      AUTH_SECRET,
      ADMIN_TOKEN,
      ...OPEN_DOORS,
      ALERT_RECIPIENTS: ALERT_RECIPIENT,
      MAIL_FROM: 'Belfry <orders@belfry.test>',
      SHARDS_PER_REGION: '2',
      LOG_MAX_CHANGES: '100000000',
    }
    const worker = await prepareWorkerd({ folder, port: workerPort, doorPort, vars }, own('worker'))
    worker.start()
    const throughWire = new URL(logins.listener)
    throughWire.port = String(wires.database.port)
    const listeners: ListenerLife[] = []
    for (let n = 1; n <= LISTENERS; n++) {
      const name = `listener-${n}`
      const env = {
        DATABASE_URL: throughWire.href,
        FEED_URL: `http://127.0.0.1:${wires.link.port}`,
        LINK_SECRET: SECRET,
        PORT: String(await freePort(doorPort + n)),
      }
      listeners.push(new ListenerLife(name, folder, env, own(name)))
    }
    return new System({
      ...{ folder, violations, doorPort, workerPort, postgres, neon, worker, listeners, wires },
    })
  }

  /** For writers: an ordinary role. */
  get writerUrl(): string {
    const url = new URL(this.databaseUrl)
    url.username = WRITER.user
    url.password = WRITER.password
    return url.href
  }

  get streetUrl(): string {
    return `http://127.0.0.1:${this.wires.street.port}`
  }

  /** Past every wire, for users who sign in. */
  get asUsers(): { url: string; secret: string } {
    return { url: this.workerUrl, secret: AUTH_SECRET }
  }

  get postgresPid(): number | null {
    return this.#postgres.pid()
  }

  /** The listener that leads, by its own word; null while none says so. */
  async leader(): Promise<ListenerLife | null> {
    for (const listener of this.listeners)
      if ((await listener.health())?.role === 'leader') return listener
    return null
  }

  /** As those who run it. @throws while workerd is down */
  async ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.workerUrl}${path}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: AbortSignal.timeout(30_000),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  async stop({ keep }: { keep: boolean }): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.end()))
    await this.worker.end()
    await this.#neon.close()
    await this.#postgres.child.stop()
    for (const wire of Object.values(this.wires)) await Promise.race([wire.close(), delay(1_000)])
    if (!keep) rmSync(this.folder, { recursive: true, force: true })
  }
}

type Postgres = { url: string; child: Child; pid: () => number | null }

type Parts = {
  folder: string
  violations: Violations
  doorPort: number
  workerPort: number
  postgres: Postgres
  neon: LocalServer
  worker: Life
  listeners: readonly ListenerLife[]
  wires: System['wires']
}

/** The supervisor of the local run: it starts a server that was killed again. */
async function startPostgres(folder: string): Promise<Postgres> {
  let pid: number | null = null
  const log = new Life(
    'postgres',
    folder,
    () => ({ command: '', args: [], env: {} }),
    () => undefined,
  )
  const voice = {
    log: (line: string) => log.note(line),
    say: (text: string) => log.note(text),
    onPid: (now: number | null) => {
      pid = now
    },
  }
  const { url, child } = await supervisePostgres(folder, new AbortController().signal, voice)
  await child.ready
  return { url, child, pid: () => pid }
}
