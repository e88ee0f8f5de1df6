/**
 * Every way in which the HTTP API says no: code → status, meaning, and whether
 * the same request may succeed later. Answers are RFC 9457 problems
 * (`application/problem+json`) whose `code` is stable and whose `type` is
 * `/docs/problems#<code>`.
 */
export const problems = {
  invalid_body: { status: 400, title: 'The body is not what this route takes', retry: false },
  invalid_query: { status: 400, title: 'The query is not what this route takes', retry: false },
  invalid_filter: { status: 400, title: 'The filter cannot be read', retry: false },
  invalid_position: { status: 400, title: 'The position cannot be read', retry: false },
  invalid_cursor: { status: 400, title: 'The cursor is not one of ours', retry: false },
  invalid_id: { status: 400, title: 'The id is not a whole number in range', retry: false },
  invalid_mailbox: { status: 400, title: 'That is no address of a mailbox', retry: false },
  unauthorized: { status: 401, title: 'Credentials are missing or wrong', retry: false },
  invalid_signature: {
    status: 401,
    title: 'The signature is missing, wrong or of another time',
    retry: false,
  },
  forbidden: { status: 403, title: 'Your credentials do not open this', retry: false },
  not_found: { status: 404, title: 'There is nothing here', retry: false },
  method_not_allowed: { status: 405, title: 'This route does not take that method', retry: false },
  conflict: {
    status: 409,
    title: 'The database refused it: another row is in the way',
    retry: false,
  },
  wrong_state: { status: 409, title: 'In its present state that cannot be done', retry: false },
  reset: { status: 410, title: 'The position cannot be served any more', retry: false },
  body_too_large: { status: 413, title: 'The body is too large', retry: false },
  unsupported_media_type: { status: 415, title: 'Only application/json is read', retry: false },
  unprocessable: { status: 422, title: 'The database refused the values', retry: false },
  unknown_users: { status: 422, title: 'There are no such users', retry: false },
  idempotency_key_reused: {
    status: 422,
    title: 'That key was used for another request',
    retry: false,
  },
  invalid_event: { status: 422, title: 'The event cannot be read', retry: false },
  upgrade_required: { status: 426, title: 'This address speaks WebSocket', retry: false },
  internal: { status: 500, title: 'Something failed on our side', retry: true },
  not_configured: { status: 503, title: 'A setting of the worker is missing', retry: true },
  database_unavailable: { status: 503, title: 'The database cannot be reached', retry: true },
} as const satisfies Record<string, { status: number; title: string; retry: boolean }>

export type ProblemCode = keyof typeof problems

/** The body of every answer that is not a success. */
export type Problem = {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail?: string
  instance?: string
  retry: boolean
  errors?: { path: string; message: string }[]
}
