import { fileURLToPath } from 'node:url'
import { createTestHarness } from 'wrangler'
import type { Change } from '../../protocol/change.ts'
import { OPEN_DOORS } from './open-doors.ts'
import { serveRules } from './rules-server.ts'

/** What these tests read of `GET /api/changes`. */
type Page = { epoch: string; head: number; through: number; changes: Change[] }

const NO_DATABASE = 'postgres://nobody:nothing@database.invalid/nothing'

/** The worker with its feed, in a workerd of its own that listens on a free port. */
export class FeedWorker {
  readonly url: string
  readonly #stop: () => Promise<void>

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.#stop = stop
  }

  static readonly secret = 'the link secret of the tests'
  /** Good beside it, as while it is rotated. */
  static readonly previousSecret = 'the link secret that the tests had before'
  static readonly adminToken = 'the-admin-token-of-the-tests'

  /** @param database where it finds one; without it, in place of one, the rules of a new one */
  static async start(database?: {
    DATABASE_URL: string
    NEON_ENDPOINT?: string
  }): Promise<FeedWorker> {
    const rules = await serveRules()
    process.env.WRANGLER_SEND_METRICS = 'false'
    process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
    process.env.WRANGLER_LOG = 'error'
    const harness = createTestHarness({
      root: fileURLToPath(new URL('../..', import.meta.url)),
      workers: [
        {
          configPath: './wrangler.toml',
          secrets: {
            LINK_SECRET: FeedWorker.secret,
            LINK_SECRET_PREVIOUS: FeedWorker.previousSecret,
            ADMIN_TOKEN: FeedWorker.adminToken,
            ...OPEN_DOORS,
            ...(database ?? { DATABASE_URL: NO_DATABASE, NEON_ENDPOINT: rules.url }),
          },
        },
      ],
    })
    const { url } = await harness.listen()
    return new FeedWorker(url.origin, async () => {
      await harness.close()
      await rules.close()
    })
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  /** All that the feed holds, from its beginning. */
  async changes(): Promise<Change[]> {
    const all: Change[] = []
    for (let after = 0; ; ) {
      const page = await this.#get<Page>(`/api/changes?after=${after}&limit=1000`)
      all.push(...page.changes)
      if (page.through >= page.head) return all
      after = page.through
    }
  }

  async head(): Promise<number> {
    return (await this.#get<Page>('/api/changes?limit=1')).head
  }

  /** Who drains the outbox, as `/api/status` says. */
  async drain(): Promise<{ by: string; error?: string | null }> {
    return (await this.#get<{ drain: { by: string } }>('/api/status')).drain
  }

  /** A new life: the log and the database it came from are forgotten. */
  async beginLife(): Promise<void> {
    const response = await fetch(`${this.url}/api/admin/feed/epoch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${FeedWorker.adminToken}` },
    })
    if (!response.ok) throw new Error(`beginning a life: ${response.status}`)
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}
