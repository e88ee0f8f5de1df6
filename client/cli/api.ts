import { z } from 'zod'
import { Failure } from './failure.ts'
import { printable } from './text-width.ts'

/** As much of an RFC 9457 problem as a person is told. */
const problem = z.object({
  title: z.string(),
  detail: z.string().optional(),
  retry: z.boolean().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

const TIMEOUT_MS = 30_000

export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: object
  /** A bearer token. */
  token?: string
  headers?: Readonly<Record<string, string>>
}

/**
 * One call of the worker's API.
 * @returns what `schema` makes of the answer; null for an answer without a body
 * @throws Failure in words: it cannot be reached, it said no, it is not Belfry
 */
export async function call<T>(
  base: string,
  path: string,
  schema: z.ZodType<T>,
  { method = 'GET', body, token, headers }: Call = {},
): Promise<T> {
  const response = await reach(base, path, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      ...headers,
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = parse(text)
  if (!response.ok) throw new Failure(refusal(response.status, json, `${base}${path}`))
  const parsed = schema.safeParse(text === '' ? null : json)
  if (parsed.success) return parsed.data
  throw new Failure(
    `${base}${path} answered something else than Belfry does: is BELFRY_URL its address?`,
  )
}

/**
 * Sends a stream, and gives the answer line by line as it comes, while the stream is still sent. It
 * ends where the connection breaks, too: the last line has to say that it is the last.
 * @throws Failure in words
 */
export async function* sendStream(
  base: string,
  path: string,
  { body, type, token, signal }: Sending,
): AsyncGenerator<string> {
  const response = await reach(base, path, {
    method: 'POST',
    signal,
    headers: { 'content-type': type, authorization: `Bearer ${token}` },
    body,
    duplex: 'half',
  })
  if (!response.ok)
    throw new Failure(refusal(response.status, parse(await response.text()), `${base}${path}`))
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
  /** A bearer token. */
  token: string
  signal: AbortSignal
}

async function reach(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(base + path, init)
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError'
    const why = late ? `no answer in ${TIMEOUT_MS / 1000} s` : reasonOf(error)
    throw new Failure(
      `The worker at ${base} cannot be reached (${why}): start it with \`npm start\`, or set BELFRY_URL.`,
    )
  }
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
