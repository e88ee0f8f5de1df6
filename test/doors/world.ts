import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { ensureLogins } from '../../dev/logins.ts'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort, localhost } from '../../dev/ports.ts'
import { supervisePostgres } from '../../dev/postgres.ts'
import { migrate } from '../../drizzle/migrate.ts'
import { Life } from '../faults/life.ts'
import { ListenerLife } from '../faults/listener-life.ts'
import { prepareWorkerd } from '../faults/workerd.ts'
import { type Answer, type Asking, ask } from './answer.ts'
import { until } from './deadline.ts'
import { type Identity, serveIdentity } from './identity.ts'
import { People } from './people.ts'
import { type Operation, readOperations } from './published.ts'
import { ALLOWED_ORIGIN, secrets } from './settings.ts'

const READY_MS = 30_000

/** A worker of its own on the same machine, with other settings. */
export type Beside = { url: string; end: () => Promise<void> }

/**
 * Everything real, set up as in production: doors closed, database roles of their own, tokens of a key set and of a secret,
 * one origin allowed. Limits are off, but for the worker of the attack on them.
 */
export class World {
  readonly url: string
  readonly sql: pg.Pool
  readonly identity: Identity
  readonly people: People
  readonly operations: readonly Operation[]
  readonly document: unknown
  readonly seed: number
  readonly folder: string
  readonly #parts: Parts

  private constructor(parts: Parts) {
    this.#parts = parts
    this.url = parts.url
    this.folder = parts.folder
    this.sql = parts.sql
    this.identity = parts.identity
    this.people = parts.people
    this.document = parts.document
    this.operations = readOperations(parts.document)
    this.seed = parts.seed
  }

  static async start(seed: number): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-doors-'))
    // The account that PostgreSQL runs as, when we are root, must be able to get there.
    chmodSync(folder, 0o755)
    const ends: (() => Promise<unknown>)[] = []
    try {
      return new World(await begin(folder, seed, ends))
    } catch (error) {
      await endAll(ends)
      throw error
    }
  }

  ask(path: string, asking: Asking = {}): Promise<Answer> {
    return ask(`${this.url}${path}`, asking)
  }

  /** As the operator. */
  order(path: string, asking: Asking = {}): Promise<Answer> {
    return this.ask(path, { as: secrets.ADMIN_TOKEN, ...asking })
  }

  /** Of the worker, and of the listener; what they have logged so far. */
  get logFiles(): string[] {
    return ['worker', 'listener'].map((name) => `${this.folder}/${name}.log`)
  }

  /** @param vars in place of those of the first worker */
  async beside(name: string, vars: Record<string, string | null>): Promise<Beside> {
    const folder = mkdtempSync(join(this.folder, `${name}-`))
    const all = Object.entries({ ...this.#parts.vars, ...vars })
    const given = all.filter((each): each is [string, string] => each[1] !== null)
    const worker = await startWorker(folder, Object.fromEntries(given))
    return { url: worker.url, end: () => worker.life.end() }
  }

  /** A database endpoint that answers everything with an error full of what nobody should see. */
  async serveInsides(): Promise<string> {
    const server = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          message: 'ZZ-INSIDE: relation "secrets" of postgres://u:password@10.0.0.1/db',
          code: 'XX000',
          detail: 'ZZ-INSIDE: SELECT * FROM secrets',
        }),
      )
    })
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, localhost, resolve))
    this.#parts.ends.push(async () => server.close())
    return `http://${localhost}:${port}/sql`
  }

  async stop({ keep }: { keep: boolean }): Promise<void> {
    await endAll(this.#parts.ends)
    if (!keep) rmSync(this.folder, { recursive: true, force: true })
  }
}

type Parts = {
  folder: string
  url: string
  sql: pg.Pool
  identity: Identity
  people: People
  document: unknown
  seed: number
  vars: Record<string, string>
  ends: (() => Promise<unknown>)[]
}

async function begin(folder: string, seed: number, ends: Parts['ends']): Promise<Parts> {
  const postgres = await startPostgres(folder)
  ends.push(() => postgres.stop())
  await migrate(postgres.url)
  const logins = await ensureLogins(postgres.url)
  const neon = await serveNeonEndpoint(logins.worker, await freePort())
  ends.push(() => neon.close())
  const identity = await serveIdentity(await freePort())
  ends.push(() => identity.close())
  const vars = {
    ...secrets,
    DATABASE_URL: logins.worker,
    NEON_ENDPOINT: neon.url,
    AUTH_JWKS_URL: identity.jwksUrl,
    AUTH_ISSUER: identity.issuer,
    AUTH_AUDIENCE: identity.audience,
    ANONYMOUS_SCOPES: '',
    ALLOWED_ORIGINS: ALLOWED_ORIGIN,
    RATE_LIMIT_ANYONE: '0',
    RATE_LIMIT_USER: '0',
    RATE_LIMIT_STAFF: '0',
    MAIL_FROM: 'Belfry <orders@belfry.test>',
    ALERT_RECIPIENTS: '',
    SHARDS_PER_REGION: '1',
  }
  const worker = await startWorker(folder, vars)
  ends.push(() => worker.life.end())
  const env = {
    DATABASE_URL: logins.listener,
    FEED_URL: worker.url,
    LINK_SECRET: secrets.LINK_SECRET,
    PORT: String(await freePort()),
  }
  const listener = new ListenerLife('listener', folder, env, ownEnd('listener'))
  listener.start()
  ends.push(() => listener.end())
  const sql = new pg.Pool({ connectionString: postgres.url, max: 4 })
  sql.on('error', () => undefined)
  ends.push(() => sql.end())
  await untilLinked(worker.url)
  const people = await People.come(sql, identity)
  const document = (await ask(`${worker.url}/openapi.json`)).json
  return {
    ...{ folder, url: worker.url, sql, identity },
    ...{ people, document, seed, vars, ends },
  }
}

async function startWorker(folder: string, vars: Record<string, string>) {
  const port = await freePort(20_000 + Math.floor(Math.random() * 12_000))
  const doorPort = await freePort()
  const life = await prepareWorkerd({ folder, port, doorPort, vars }, ownEnd('worker'))
  life.start()
  const url = `http://127.0.0.1:${port}`
  for (const deadline = Date.now() + READY_MS; ; await delay(50)) {
    const health = await ask(`${url}/healthz`).catch(() => null)
    if (health?.status === 200) return { life, url }
    if (Date.now() > deadline)
      throw new Error(
        `the worker does not answer within ${READY_MS / 1_000} s: see ${folder}/worker.log`,
      )
  }
}

/** Until then the feed would take anyone’s database for its own. */
async function untilLinked(url: string): Promise<void> {
  const isLinked = async () => {
    const { json } = await ask(`${url}/api/status`, { as: secrets.ADMIN_TOKEN })
    return (json as { listener?: { present: boolean } } | undefined)?.listener?.present === true
  }
  if (!(await until(isLinked, (linked) => linked, READY_MS)))
    throw new Error(`the listener is not linked within ${READY_MS / 1_000} s: see listener.log`)
}

async function startPostgres(folder: string) {
  const log = new Life(
    'postgres',
    folder,
    () => ({ command: '', args: [], env: {} }),
    ownEnd('postgres'),
  )
  const voice = {
    log: (line: string) => log.note(line),
    say: (text: string) => log.note(text),
    onPid: () => undefined,
  }
  const { url, child } = await supervisePostgres(folder, new AbortController().signal, voice)
  await child.ready
  return { url, stop: () => child.stop() }
}

function ownEnd(name: string) {
  return (how: string) => {
    throw new Error(`${name} ended by itself, ${how}: an attack broke it, or see its log`)
  }
}

/** Last come, first to go. */
async function endAll(ends: Parts['ends']): Promise<void> {
  for (const end of ends.toReversed()) await Promise.race([end(), delay(5_000)])
}
