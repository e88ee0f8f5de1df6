import type { ZodType } from 'zod'
import { bearer, instead } from './credential.ts'
import { type Refusal, readProblem, refusal, words } from './refusal.ts'

/** What a request came to. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }

export type Extras = {
  body?: object
  signal?: AbortSignal
  /** The version that is changed: refused if there is another by now. */
  version?: number
  /** The same for each try of one create, which is then done once. */
  onceKey?: string
  /** Instead of the one that the page has: to see whether it opens anything. */
  credential?: string
}

const UNAUTHORIZED = 401

/** @throws only when `signal` says that the answer is no longer wanted */
export async function request<T>(
  method: string,
  path: string,
  extras: Extras = {},
): Promise<Outcome<T>> {
  try {
    const shown = extras.credential ?? (await bearer())
    const response = await send(method, path, extras, shown)
    const outcome = await read<T>(response)
    if (response?.status !== UNAUTHORIZED || shown === null || outcome.ok) return outcome
    // Nothing was done yet: who asks was not even known.
    const other = await instead(shown, words(outcome.refusal))
    return other === null ? outcome : await read(await send(method, path, extras, other))
  } catch (error) {
    extras.signal?.throwIfAborted()
    return refuse('Nobody signs you in', error instanceof Error ? error.message : String(error))
  }
}

/** As `request`, for an answer that has this shape. */
export async function requestAs<T>(
  shape: ZodType<T>,
  method: string,
  path: string,
  extras: Extras = {},
): Promise<Outcome<T>> {
  const outcome = await request(method, path, extras)
  if (!outcome.ok) return outcome
  const parsed = shape.safeParse(outcome.value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  return refuse(
    'The answer was not understood',
    `Reload this page: the server may be newer than it (${path}, at “${where}”).`,
  )
}

/** For `onceKey`. Also where the page did not come over https and there is no `randomUUID`. */
export function newOnceKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}

/** @returns null when nobody answered */
async function send(
  method: string,
  path: string,
  { body, signal, version, onceKey }: Extras,
  credential: string | null,
): Promise<Response | null> {
  try {
    return await fetch(path, {
      method,
      cache: 'no-store',
      ...(signal && { signal }),
      ...(body && { body: JSON.stringify(body) }),
      headers: {
        ...(credential !== null && { authorization: `Bearer ${credential}` }),
        ...(body && { 'content-type': 'application/json' }),
        ...(version !== undefined && { 'if-match': `"${version}"` }),
        ...(onceKey !== undefined && { 'idempotency-key': onceKey }),
      },
    })
  } catch {
    signal?.throwIfAborted()
    return null
  }
}

async function read<T>(response: Response | null): Promise<Outcome<T>> {
  if (response === null)
    return refuse('The server cannot be reached', 'Check that Belfry is running, then try again.')
  const answer: unknown = await response.json().catch(() => undefined)
  // A server that dies in the middle of an answer has said 200 already.
  if (response.ok && answer === undefined && response.status !== 204)
    return refuse('The answer was cut off', 'Look whether it was done, then try again.')
  if (response.ok) return { ok: true, value: answer as T }
  const retryAfter = response.headers.get('retry-after')
  return { ok: false, refusal: readProblem(response.status, answer, retryAfter) }
}

function refuse(title: string, detail: string): Outcome<never> {
  return { ok: false, refusal: refusal(title, detail) }
}
