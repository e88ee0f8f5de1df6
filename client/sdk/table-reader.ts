import { z } from 'zod'
import type { Row } from '../../protocol/change.ts'
import { describe } from './reasons.ts'
import { retryAfterMs } from './request-failures.ts'
import { TOKEN_MS } from './session.ts'
import type { Snapshot } from './snapshot.ts'
import { workerAddress } from './subscribe-address.ts'
import { type Token, tokenKeeper } from './token.ts'

const ROWS_A_PAGE = 1_000
/** A page that takes longer has lost its server. */
const PAGE_MS = 30_000
const UNAUTHORIZED = 401
/** A page that the worker says to come back for is asked for so often, after so long at most. */
const PAGE_TRIES = 5
const MOST_PATIENCE_MS = 60_000

const row = z.custom<Row>((value) => typeof value === 'object' && value !== null)
const page = z.object({
  key: z.array(z.string()).min(1),
  rows: z.array(row),
  oversize: z.array(row),
  next_cursor: z.string().nullable(),
})
type Page = z.infer<typeof page>

const problem = z.object({ title: z.string(), detail: z.string().optional() })

/**
 * Reads whole tables from the worker, page by page: what `live()` begins with.
 * @throws TypeError when `url` is not an http(s) address, or `token` says nothing
 */
export function tableReader<T extends object>(
  { url, table, token }: { url: string; table: string; token?: Token | undefined },
  fetchPage: typeof fetch = (...request) => globalThis.fetch(...request),
): (signal: AbortSignal) => Promise<Snapshot<T>> {
  const address = workerAddress(url, `api/tables/${encodeURIComponent(table)}/rows`)
  address.protocol = address.protocol.replace('ws', 'http')
  address.searchParams.set('limit', String(ROWS_A_PAGE))
  const keeper = tokenKeeper(token)

  /** @throws Error in words for a person, and without the token */
  return async function readTable(signal) {
    const rows: T[] = []
    const oversize: Row[] = []
    await askForToken()
    for (let cursor: string | null = null; ; ) {
      const read: Page = await readPage(cursor, signal)
      // The caller's word for the table's row; the worker sends the same columns.
      for (const each of read.rows) rows.push(each as T)
      oversize.push(...read.oversize)
      cursor = read.next_cursor
      if (cursor === null) return { rows, oversize, key: read.key }
    }
  }

  async function readPage(cursor: string | null, signal: AbortSignal): Promise<Page> {
    let response = await ask(cursor, signal)
    // A table takes longer to read than some tokens are good for.
    if (response.status === UNAUTHORIZED && keeper.asks && cursor !== null) {
      await askForToken()
      response = await ask(cursor, signal)
    }
    for (let tries = 1; tries < PAGE_TRIES; tries++) {
      const waitMs = response.ok ? null : retryAfterMs(response)
      if (waitMs === null || waitMs > MOST_PATIENCE_MS) break
      // A table of many pages asks often: what was read of it is not thrown away for that.
      await pause(waitMs, signal)
      response = await ask(cursor, signal)
    }
    const answer: unknown = await response.json().catch(() => undefined)
    if (!response.ok) throw new Error(keeper.hide(refusal(response.status, answer)))
    const parsed = page.safeParse(answer)
    if (!parsed.success) throw new Error(`${address.origin} answered something else than rows`)
    return parsed.data
  }

  async function askForToken(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`none was given in ${TOKEN_MS / 1000} s`)),
        TOKEN_MS,
      )
    })
    try {
      await Promise.race([keeper.ask(), late])
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      throw new Error(describe({ kind: 'token', detail }))
    } finally {
      clearTimeout(timer)
    }
  }

  async function ask(cursor: string | null, signal: AbortSignal): Promise<Response> {
    const asked = new URL(address)
    if (cursor !== null) asked.searchParams.set('cursor', cursor)
    const { current } = keeper
    try {
      return await fetchPage(asked.href, {
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_MS)]),
        ...(current !== null && { headers: { authorization: `Bearer ${current}` } }),
      })
    } catch (error) {
      signal.throwIfAborted()
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(keeper.hide(`the rows of "${table}" could not be read: ${why}`))
    }
  }
}

/** @throws the reason of `signal` */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

function refusal(status: number, answer: unknown): string {
  const { data } = problem.safeParse(answer)
  if (data === undefined) return `the worker answered ${status} and did not say why`
  return data.detail === undefined ? data.title : `${data.title}: ${data.detail}`
}
