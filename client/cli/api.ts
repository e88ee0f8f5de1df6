import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type Credential, letInHint, type Needs } from './credential.ts'
import { Failure } from './failure.ts'
import { repeatIn, type Trouble } from './repeat.ts'
import { printable } from './text-width.ts'

/** As much of an RFC 9457 problem as a person is told. */
const problem = z.object({
  title: z.string(),
  code: z.string().optional(),
  detail: z.string().optional(),
  retry: z.boolean().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

const TIMEOUT_MS = 30_000

export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: object
  /** Who asks; null: nobody says. */
  as?: Credential | null
  /** What the route takes, for the sentence of a refusal. */
  needs?: Needs
  /** It has an idempotency key of its own, so that twice is once. */
  isCreate?: true
  headers?: Readonly<Record<string, string>>
  /** What else to do about a refusal, by its status: a sentence. */
  hints?: Readonly<Record<number, string>>
}

/** @param etag the version that was read, as the worker names it; null if it names none */
export type Answer<T> = { value: T; etag: string | null }

/** As `ask`, without the tag. */
export async function call<T>(
  base: string,
  path: string,
  schema: z.ZodType<T>,
  how: Call = {},
): Promise<T> {
  return (await ask(base, path, schema, how)).value
}

/**
 * One call of the worker's API, which is repeated as repeat.ts says.
 * @returns what `schema` makes of the answer; null for an answer without a body
 * @throws Failure in words: it cannot be reached, it said no, it is not Belfry
 */
export async function ask<T>(
  base: string,
  path: string,
  schema: z.ZodType<T>,
  how: Call = {},
): Promise<Answer<T>> {
  const { method = 'GET', body, as = null, isCreate, needs, hints } = how
  const headers = {
    ...(isCreate && { 'idempotency-key': crypto.randomUUID() }),
    ...how.headers,
    ...(body && { 'content-type': 'application/json' }),
    ...(as && { authorization: `Bearer ${as.token}` }),
  }
  const isRepeatable = method === 'GET' || 'idempotency-key' in headers
  for (let attempt = 1; ; attempt++) {
    const answered = await send(base, path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    if (answered.response?.ok) {
      const { response, text } = answered
      const parsed = schema.safeParse(text === '' ? null : parse(text))
      if (parsed.success) return { value: parsed.data, etag: response.headers.get('etag') }
      throw new Failure(
        `${base}${path} answered something else than Belfry does: is BELFRY_URL its address?`,
      )
    }
    const again = repeatIn(answered.trouble, { attempt, isRepeatable, random: Math.random() })
    if (again === null) {
      if (answered.response === null) throw new Failure(answered.why)
      const { response, text } = answered
      const said = refusal(response.status, parse(text), `${base}${path}`)
      const hint = hints?.[response.status]
      const letIn = letInHint(response.status, needs ?? 'any', as)
      throw new Failure(`${said}${letIn}${hint === undefined ? '' : ` ${hint}`}`)
    }
    await pause(again)
  }
}

type Sent =
  | { response: Response; text: string; trouble: Trouble }
  | { response: null; why: string; trouble: Trouble }

async function send(base: string, path: string, init: RequestInit): Promise<Sent> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(base + path, { ...init, signal })
    const text = await response.text()
    const { code = null } = problem.safeParse(parse(text)).data ?? {}
    const { status, headers } = response
    const wait = headers.get('retry-after') ?? ''
    const retryAfterMs = /^\d{1,6}$/.test(wait) ? Number(wait) * 1000 : null
    return { response, text, trouble: { kind: 'refused', status, code, retryAfterMs } }
  } catch (error) {
    const { why, trouble } = lossOf(error)
    return { response: null, why: unreachable(base, why), trouble }
  }
}

/** What has become of a request that was given no answer. */
function lossOf(error: unknown): { why: string; trouble: Trouble } {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { why: `no answer in ${TIMEOUT_MS / 1000} s`, trouble: { kind: 'late' } }
  const why = reasonOf(error)
  const isBroken = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(why)
  return { why, trouble: { kind: isBroken ? 'broken' : 'unreachable' } }
}

/**
 * Sends a stream, and gives the answer line by line as it comes, while the stream is still sent. It
 * ends where the connection breaks, too: the last line has to say that it is the last.
 * @throws Failure in words
 */
export async function* sendStream(
  base: string,
  path: string,
  { body, type, as, signal }: Sending,
): AsyncGenerator<string> {
  const response = await fetch(base + path, {
    method: 'POST',
    signal,
    headers: { 'content-type': type, authorization: `Bearer ${as.token}` },
    body,
    duplex: 'half',
  }).catch((error: unknown) => {
    throw new Failure(unreachable(base, lossOf(error).why))
  })
  if (!response.ok) {
    const said = refusal(response.status, parse(await response.text()), `${base}${path}`)
    throw new Failure(said + letInHint(response.status, 'admin', as))
  }
  if (response.body) yield* linesOf(response.body)
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    while (true) {
      const next = await reader.read().catch(() => null)
      // What came of a line that broke off is none.
      if (next === null) return
      if (next.done) break
      const lines = (rest + next.value).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

type Sending = {
  body: ReadableStream<Uint8Array>
  /** Of the body. */
  type: string
  as: Credential
  signal: AbortSignal
}

function unreachable(base: string, why: string): string {
  return `The worker at ${base} cannot be reached (${why}): start it with \`npm start\`, or set BELFRY_URL.`
}

/** `Title: detail`, then a line for each field that is wrong. */
function refusal(status: number, json: unknown, address: string): string {
  const parsed = problem.safeParse(json)
  if (!parsed.success)
    return `${address} answered ${status} and did not say why: is it the address of a Belfry worker?`
  const { title, detail, retry, errors = [] } = parsed.data
  // The detail of a body that is wrong repeats its first error.
  const repeated = errors.some(({ message }) => detail?.includes(message))
  const sentence = detail === undefined || repeated ? title : `${title}: ${detail}`
  const fields = errors.map(
    ({ path, message }) => `\n  ${printable(`${path || 'body'}: ${message}`)}`,
  )
  const again = retry ? ' The same may succeed later.' : ''
  return printable(sentence.replace(/[.]?$/, '.')) + again + fields.join('')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const { code } = cause as { code?: unknown }
  return typeof code === 'string' ? code : String(cause instanceof Error ? cause.message : cause)
}
