import { z } from '@hono/zod-openapi'
import type { Context, Hono, Env as HonoEnv, Schema, ValidationTargets } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { ZodError } from 'zod'
import { type Problem, type ProblemCode, problems } from '../../protocol/problems.ts'
import { requestIdOf } from '../doors/request-id.ts'
import { type DatabaseFailure, databaseFailure, rootCause } from './database-failure.ts'

/**
 * How the HTTP API says no: always an RFC 9457 problem whose `code` stands in
 * protocol/problems.ts. Must hold: no text of an exception, no SQL and no stack reaches a
 * caller; what a person must look at is logged as one line of JSON, without the query string
 * and without the values of a statement.
 */

const MAX_ERRORS = 20

export type ProblemOptions = {
  detail?: string
  errors?: { path: string; message: string }[]
  headers?: Record<string, string>
  /** Members of this one problem's own, such as `epoch` and `head` of `reset`. */
  extensions?: Record<string, string | number>
}

export function problem<Code extends ProblemCode>(
  c: Context,
  code: Code,
  { detail, errors, headers, extensions }: ProblemOptions = {},
) {
  const { status, title, retry }: { status: Status<Code>; title: string; retry: boolean } =
    problems[code]
  const requestId = requestIdOf(c)
  // The last one is what is answered, and is counted: refusal-count.ts.
  c.set('problem', code)
  const body: Problem = {
    type: `/docs/problems#${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    instance: c.req.path,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    retry,
    ...(errors === undefined ? {} : { errors }),
    ...extensions,
  }
  return c.json(body, status, { 'Content-Type': 'application/problem+json', ...headers })
}

export type Status<Code extends ProblemCode> = (typeof problems)[Code]['status']

/** For `app.onError`. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof HTTPException && error.res) return error.res
  if (error instanceof HTTPException && error.status < 500) {
    const refusal = refusals[error.status]
    if (refusal) return problem(c, refusal.code, { detail: refusal.detail })
  }
  const failure = databaseFailure(error)
  if (failure) return databaseProblem(c, error, failure)
  log(c, error, 'internal')
  return problem(c, 'internal')
}

/** For `app.notFound`. */
export function notFound(c: Context): Response {
  return problem(c, 'not_found', {
    detail: `Nothing is at ${c.req.path}. What there is, /openapi.json lists.`,
  })
}

/** For `app.use`, before the routes: 405 where the path exists with other methods. */
export function otherMethods<E extends HonoEnv, S extends Schema, P extends string>(
  app: Hono<E, S, P>,
) {
  return methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      const allowed = methods.join(', ')
      return problem(c, 'method_not_allowed', {
        detail: `${c.req.path} takes ${allowed}.`,
        headers: { Allow: allowed },
      })
    },
  })
}

/** The `defaultHook` of every OpenAPIHono: what the schemas refuse, field by field. */
export function defaultHook(result: Validation, c: Context): Response | undefined {
  if (result.success) return undefined
  const errors = fieldErrors(result.error)
  const [first, ...others] = errors
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  const where = first?.path ? `${first.path}: ` : ''
  return problem(c, codeOfTarget[result.target], {
    detail: `${where}${first?.message ?? 'cannot be read'}${more}`,
    errors,
  })
}

/** What a route that writes a JSON body to Postgres may answer with. */
export const ofWriting = [
  'invalid_body',
  'conflict',
  'body_too_large',
  'unsupported_media_type',
  'unprocessable',
  'database_unavailable',
] as const satisfies ProblemCode[]

/** The problems a route may answer with, for its OpenAPI `responses`; any may answer `internal`. */
export function problemResponses<Code extends ProblemCode>(
  ...own: Code[]
): ProblemResponses<Code | 'internal'> {
  const byStatus = Object.groupBy([...own, 'internal' as const], (code) => problems[code].status)
  const responses = Object.entries(byStatus).map(([status, codes]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join('\n\n'),
      content: { 'application/problem+json': { schema: problemSchema } },
    },
  ])
  return Object.fromEntries(responses)
}

type Validation = { target: keyof ValidationTargets } & (
  | { success: true }
  | { success: false; error: ZodError }
)

const codeOfTarget: Record<keyof ValidationTargets, ProblemCode> = {
  json: 'invalid_body',
  form: 'invalid_body',
  param: 'invalid_id',
  query: 'invalid_query',
  header: 'invalid_query',
  cookie: 'invalid_query',
}

/** What Hono and its validators throw. */
const refusals: Record<number, { code: ProblemCode; detail: string }> = {
  400: { code: 'invalid_body', detail: 'The body cannot be read as JSON.' },
  401: { code: 'unauthorized', detail: 'Send the credentials this route asks for.' },
  415: {
    code: 'unsupported_media_type',
    detail: 'Send JSON, with the header "Content-Type: application/json".',
  },
}

function databaseProblem(c: Context, error: Error, failure: DatabaseFailure): Response {
  const { code, detail, retryAfterS, outcome } = failure
  if (problems[code].status >= 500) log(c, error, code)
  const isInDoubt = outcome === 'unknown' && c.req.method === 'POST'
  const doubt = isInDoubt ? doubtOf(c) : ''
  return problem(c, code, {
    detail: detail + doubt,
    ...(retryAfterS === undefined ? {} : { headers: { 'Retry-After': String(retryAfterS) } }),
  })
}

/** Of a request that, sent again as it is, is done once. */
export function markRepeatable(c: Context): void {
  c.set('repeatable', true)
}

function doubtOf(c: Context): string {
  return c.get('repeatable')
    ? ' It may have been done all the same: send it again with the same Idempotency-Key, and it is done once.'
    : ' It may have been written all the same: look before you send it again.'
}

function fieldErrors(error: ZodError): { path: string; message: string }[] {
  return error.issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: key, message: 'is not known here; leave it out' }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    )
    .slice(0, MAX_ERRORS)
}

function log(c: Context, error: Error, code: ProblemCode): void {
  const cause = rootCause(error)
  console.error(
    JSON.stringify({
      message: 'a request failed',
      code,
      request_id: requestIdOf(c),
      method: c.req.method,
      path: loggable(c.req.path),
      error: cause instanceof Error ? cause.message : String(cause),
      stack: cause instanceof Error ? cause.stack : undefined,
    }),
  )
}

/** The one address that is a secret. */
function loggable(path: string): string {
  return path.replace(/^(\/api\/unsubscribe\/).*/s, '$1…')
}

const codes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]]

const problemSchema = z
  .object({
    type: z.string().openapi({ example: '/docs/problems#not_found' }),
    title: z.string().openapi({ example: problems.not_found.title }),
    status: z.int().openapi({ example: 404 }),
    code: z.enum(codes).openapi({ description: 'Stable; decide by this.', example: 'not_found' }),
    detail: z.string().optional().openapi({ example: 'There is no order 42.' }),
    instance: z.string().optional().openapi({ example: '/api/orders/42' }),
    request_id: z
      .string()
      .optional()
      .openapi({ description: 'What the log knows the request by; the header X-Request-Id, too.' }),
    retry: z.boolean().openapi({ description: 'Whether the same request may succeed later.' }),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: 'What was refused, field by field.' }),
  })
  .openapi('Problem', { description: 'An RFC 9457 problem.' })

type ProblemResponses<Code extends ProblemCode> = {
  [S in Status<Code>]: {
    description: string
    content: { 'application/problem+json': { schema: typeof problemSchema } }
  }
}
