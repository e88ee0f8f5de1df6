import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from './failure.ts'

/** For scripts and tests: where the running system is. It is there only while it runs. */
export type LocalRun = {
  url: string
  /** Direct, not pooled. */
  databaseUrl: string
  adminToken: string
  /** null when mails go out for real. */
  mailboxUrl: string | null
  listenerUrl: string
  /** Gives out tokens: of users, `GET /token?user=3`, and of who runs it, `GET /staff`. */
  signInUrl: string
  /** `postgres` is null when DATABASE_URL names a server that we did not start. */
  pids: { postgres: number | null; worker: number | null; listener: number | null }
}

export type Secrets = {
  linkSecret: string
  adminToken: string
  /** As Resend gives them out: `whsec_` and base64. */
  resendWebhookSecret: string
  /** Signs tokens: of users, and of who runs it. */
  authSecret: string
}

/** What came later: an older file lacks it. */
type KeptSecrets = Pick<Secrets, 'linkSecret' | 'adminToken'> & Partial<Secrets>

/** `.belfry/local.json`: written when all is up, again whenever a process changes, and removed. */
export class LocalRunFile {
  readonly #file: string
  readonly #pids: LocalRun['pids'] = { postgres: null, worker: null, listener: null }
  #addresses: Omit<LocalRun, 'pids'> | null = null

  constructor(folder: string) {
    this.#file = `${folder}/local.json`
    rmSync(this.#file, { force: true }) // Of a run that was killed.
  }

  setPid(name: keyof LocalRun['pids'], pid: number | null): void {
    this.#pids[name] = pid
    if (this.#addresses) this.publish(this.#addresses)
  }

  publish(addresses: Omit<LocalRun, 'pids'>): LocalRun {
    this.#addresses = addresses
    const run = { ...addresses, pids: this.#pids }
    writePrivately(this.#file, `${JSON.stringify(run, null, 2)}\n`)
    return run
  }

  remove(): void {
    this.#addresses = null
    rmSync(this.#file, { force: true })
  }
}

/** Made once, so that a token in a script goes on working. */
export function keptSecrets(folder: string): Secrets {
  const file = `${folder}/secrets.json`
  const kept = existsSync(file) ? readSecrets(file) : null
  const secrets = {
    linkSecret: kept?.linkSecret ?? newSecret(),
    adminToken: kept?.adminToken ?? newSecret(),
    resendWebhookSecret: kept?.resendWebhookSecret ?? `whsec_${randomBytes(32).toString('base64')}`,
    authSecret: kept?.authSecret ?? newSecret(),
  }
  writePrivately(file, `${JSON.stringify(secrets, null, 2)}\n`)
  return secrets
}

/**
 * The worker's variables as a .env file, which is how wrangler takes them without showing
 * them in a list of processes.
 */
export function writeWorkerEnv(folder: string, variables: Record<string, string>): string {
  const file = `${folder}/worker.env`
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}\n`)
  writePrivately(file, lines.join(''))
  return file
}

/** wrangler expands $NAME in values, inside single quotes too. */
function quoted(name: string, value: string): string {
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark))
  if (quote === undefined || /[\r\n]/.test(value))
    throw new Failure(`${name} holds a line break, or all of ' " and \`: choose another value.`)
  return `${quote}${value.replaceAll('$', '\\$')}${quote}`
}

function readSecrets(file: string): KeptSecrets {
  try {
    const { linkSecret, adminToken, resendWebhookSecret, authSecret } = JSON.parse(
      readFileSync(file, 'utf8'),
    )
    const secrets = [linkSecret, adminToken, resendWebhookSecret ?? '', authSecret ?? '']
    if (secrets.every((secret) => typeof secret === 'string'))
      return { linkSecret, adminToken, resendWebhookSecret, authSecret }
  } catch {
    // Told below, as for a file that lacks a secret.
  }
  throw new Failure(`${file} cannot be read. Delete it; the next start makes new secrets.`)
}

/** For its owner only, and whole or not at all: a reader never sees half a file. */
function writePrivately(file: string, text: string): void {
  mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true })
  const draft = `${file}.${process.pid}.new`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, file)
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
