import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

/** A running Belfry, as these tests need it. */
export type Running = {
  url: string
  /** Of the stand-in for Resend. */
  mailboxUrl: string
  /** Of the server that gives out tokens of users. */
  signInUrl: string
  /** Opens everything but the inboxes. */
  adminToken: string
  /** Runs one statement beside the API, like any other writer. */
  sql(text: string): Promise<Record<string, unknown>[]>
  /** One request as whoever runs it. */
  ask(path: string, init?: RequestInit): Promise<Response>
}

export type Fixture = Running & {
  /** Kills the worker at once; `npm start` starts another. */
  killWorker(): Promise<void>
  /** A page of its own, with storage of its own; closed with the test. */
  open(path?: string, options?: BrowserContextOptions): Promise<Page>
  /** What pages threw and nobody caught, and what their policy forbade, since the last call. */
  uncaught(): string[]
  close(): Promise<void>
}

/** How long a page may take for one step, on a busy machine. */
export const STEP_MS = 15_000

/** How long one test may take: some wait for a reconnect. */
export const TEST_MS = 60_000

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Finds the running system by the file that `npm start` writes.
 * `BELFRY_LOCAL` is its path, `CHROME_PATH` the browser's.
 */
export async function openFixture(): Promise<Fixture> {
  const { url, databaseUrl, mailboxUrl, signInUrl, adminToken } = await readLocal()
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const browser = await launch()
  let thrown: string[] = []

  return {
    url,
    mailboxUrl,
    signInUrl,
    adminToken,
    ask: (path, init = {}) =>
      fetch(new URL(path, url), {
        ...init,
        headers: { authorization: `Bearer ${adminToken}`, ...init.headers },
      }),
    sql: async (text) => (await database.query(text)).rows,
    async killWorker() {
      const { pids } = await readLocal()
      process.kill(pids.worker, 'SIGKILL')
    },
    async open(path = '/', options = {}) {
      const viewport = { width: 1280, height: 800 }
      const context = await browser.newContext({ viewport, colorScheme: 'light', ...options })
      // A page that stays open goes on hearing what the next tests write.
      onTestFinished(() => context.close())
      context.setDefaultTimeout(STEP_MS)
      const page = await context.newPage()
      page.on('pageerror', (error) => thrown.push(String(error)))
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) thrown.push(message.text())
      })
      await page.goto(new URL(path, url).href)
      return page
    },
    uncaught() {
      const found = thrown
      thrown = []
      return found
    },
    async close() {
      await browser.close()
      await database.end()
    },
  }
}

type Local = Pick<Running, 'url' | 'mailboxUrl' | 'signInUrl' | 'adminToken'> & {
  databaseUrl: string
  pids: { worker: number }
}

/** Read each time: a process that was started again has another pid. */
async function readLocal(): Promise<Local> {
  const path = process.env.BELFRY_LOCAL
  if (!path) throw new Error('Set BELFRY_LOCAL to the .belfry/local.json of a running Belfry.')
  return JSON.parse(await readFile(path, 'utf8'))
}

function launch(): Promise<Browser> {
  const executablePath = process.env.CHROME_PATH
  if (!executablePath) throw new Error('Set CHROME_PATH to a Chromium or Chrome.')
  return chromium.launch({ executablePath, args: FLAGS })
}
