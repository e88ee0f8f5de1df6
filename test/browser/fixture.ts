import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** A running Belfry, as these tests need it. */
export type Running = {
  url: string
  /** Of the stand-in for Resend. */
  mailboxUrl: string
  /** Of the server that gives out tokens of users. */
  signInUrl: string
  /** Runs one statement beside the API, like any other writer. */
  sql(text: string): Promise<Record<string, unknown>[]>
}

export type Fixture = Running & {
  /** Kills the worker at once; `npm start` starts another. */
  killWorker(): Promise<void>
  /** A page of its own, with storage of its own; closed with the fixture. */
  open(path?: string, options?: BrowserContextOptions): Promise<Page>
  /** What pages threw and nobody caught, since the last call. */
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
  const { url, databaseUrl, mailboxUrl, signInUrl } = await readLocal()
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const browser = await launch()
  let thrown: string[] = []

  return {
    url,
    mailboxUrl,
    signInUrl,
    sql: async (text) => (await database.query(text)).rows,
    async killWorker() {
      const { pids } = await readLocal()
      process.kill(pids.worker, 'SIGKILL')
    },
    async open(path = '/', options = {}) {
      const viewport = { width: 1280, height: 800 }
      const context = await browser.newContext({ viewport, colorScheme: 'light', ...options })
      context.setDefaultTimeout(STEP_MS)
      const page = await context.newPage()
      page.on('pageerror', (error) => thrown.push(String(error)))
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

type Local = Pick<Running, 'url' | 'mailboxUrl' | 'signInUrl'> & {
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
