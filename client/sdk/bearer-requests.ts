import { Denied, Refusal, retryAfterMs, Unreachable } from './request-failures.ts'
import { TOKEN_MS } from './session.ts'
import { workerAddress } from './subscribe-address.ts'
import { type Token, tokenKeeper } from './token.ts'

/** An answer that takes longer has lost its server. */
const ANSWER_MS = 30_000
const UNAUTHORIZED = 401

export type Asking = {
  body?: object
  signal?: AbortSignal
  /** A token that is given by a function is asked for anew, whatever is known of the last one. */
  isAnew?: boolean
}

export type BearerRequests = {
  /**
   * The answer's JSON.
   * @param path below the worker's address, with its query
   * @throws Refusal, `Denied` when the token is a text and refused, `Unreachable`, Error in words
   * without a token; never with the token
   */
  request(method: string, path: string, asking?: Asking): Promise<unknown>
  /**
   * Asks for another token, which is used from then on. null where the token is a text.
   * @throws Error in words without one
   */
  renew: (() => Promise<string>) | null
  /** The text without the token, should anyone have repeated it. */
  hide(text: string): string
}

/**
 * Requests in the name of whoever has the token. A function that gives it is asked when there is
 * none yet, and again when one was refused.
 * @throws TypeError when `url` is not an http(s) address, or `token` says nothing
 */
export function bearerRequests(
  { url, token }: { url: string; token: Token },
  fetchIt: typeof fetch = (...request) => globalThis.fetch(...request),
): BearerRequests {
  workerAddress(url, '')
  const keeper = tokenKeeper(token)
  let asked: Promise<unknown> | null = null
  return { request, renew: keeper.asks ? renew : null, hide: keeper.hide }

  async function renew(): Promise<string> {
    await askForToken()
    // Whoever was asked has given one, or the question has failed.
    return keeper.current ?? ''
  }

  async function request(method: string, path: string, asking: Asking = {}): Promise<unknown> {
    if (keeper.asks && (asking.isAnew || keeper.current === null)) await askForToken()
    const [used, response] = await send(method, path, asking)
    if (response.status !== UNAUTHORIZED) return read(response)
    if (!keeper.asks) throw new Denied(keeper.hide(await refusalOf(response)))
    // Another request may have been told so, and have asked, meanwhile.
    if (keeper.current === used) await askForToken()
    return read((await send(method, path, asking))[1])
  }

  async function send(
    method: string,
    path: string,
    { body, signal }: Asking,
  ): Promise<[string | null, Response]> {
    const { current } = keeper
    const address = workerAddress(url, path)
    address.protocol = address.protocol.replace('ws', 'http')
    const limit = AbortSignal.timeout(ANSWER_MS)
    try {
      const response = await fetchIt(address.href, {
        method,
        cache: 'no-store',
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        headers: {
          authorization: `Bearer ${current}`,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      return [current, response]
    } catch {
      signal?.throwIfAborted()
      throw new Unreachable(
        'the server cannot be reached: check the connection, then try again',
        foreignHint(address.origin),
      )
    }
  }

  async function read(response: Response): Promise<unknown> {
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) return answer
    throw new Refusal(
      keeper.hide(sentence(response.status, answer)),
      response.status,
      codeOf(answer),
      retryAfterMs(response),
    )
  }

  /** Whoever asks meanwhile gets the same token. */
  async function askForToken(): Promise<void> {
    asked ??= inTime(keeper.ask()).finally(() => {
      asked = null
    })
    await asked
  }
}

async function inTime(given: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`none was given in ${TOKEN_MS / 1000} s`)), TOKEN_MS)
  })
  try {
    await Promise.race([given, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A page is not told why it may not ask another site: that looks like no answer at all. */
function foreignHint(worker: string): string | null {
  const { location } = globalThis as { location?: { origin: string } }
  if (!location || location.origin === worker) return null
  return `if it is up, add ${location.origin} to its ALLOWED_ORIGINS`
}

async function refusalOf(response: Response): Promise<string> {
  return sentence(response.status, await response.json().catch(() => undefined))
}

function sentence(status: number, answer: unknown): string {
  const { title, detail } = (answer ?? {}) as { title?: unknown; detail?: unknown }
  if (typeof title !== 'string') return `the worker answered ${status} and did not say why`
  return typeof detail === 'string' ? `${title}: ${detail}` : title
}

function codeOf(answer: unknown): string | null {
  const { code } = (answer ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : null
}
