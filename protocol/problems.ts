/**
 * Every way in which the HTTP API says no: code → status, title, what it means and what to do, and
 * whether the same request may succeed later. Answers are RFC 9457 problems
 * (`application/problem+json`) whose `code` is stable and whose `type` is
 * `/docs/problems#<code>`.
 */
export const problems = {
  invalid_body: {
    status: 400,
    title: 'The body is not what this route takes',
    meaning:
      'The body is no JSON, or a field is missing, unknown or of another kind. `errors` names the fields. Correct them, and send it again.',
    retry: false,
  },
  invalid_query: {
    status: 400,
    title: 'The query is not what this route takes',
    meaning:
      'A parameter of the address, or a header, is unknown, given twice or out of range. `errors` names it.',
    retry: false,
  },
  invalid_filter: {
    status: 400,
    title: 'The filter cannot be read',
    meaning:
      'A table or a column of the filter is not there for you, or a value is too long. `detail` says which, and what there is.',
    retry: false,
  },
  invalid_position: {
    status: 400,
    title: 'The position cannot be read',
    meaning:
      '`after` or `epoch` is not as a frame or a page gave it. Take both from there, or begin without them.',
    retry: false,
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not one of ours',
    meaning: 'A cursor is good for the list that gave it, as it was given. Begin without one.',
    retry: false,
  },
  invalid_id: {
    status: 400,
    title: 'The id is not a whole number in range',
    meaning: 'Ids are whole numbers from 1 to 9007199254740991. Look where this one came from.',
    retry: false,
  },
  invalid_mailbox: {
    status: 400,
    title: 'That is no address of a mailbox',
    meaning: 'The address holds no mailbox that mail could go to. Write it as name@example.com.',
    retry: false,
  },
  unauthorized: {
    status: 401,
    title: 'Credentials are missing or wrong',
    meaning:
      'No credentials came, or they are wrong, expired, revoked or used up. Sign in again, or ask for a new key or ticket.',
    retry: false,
  },
  invalid_signature: {
    status: 401,
    title: 'The signature is missing, wrong or of another time',
    meaning:
      'What the sender signs is not signed with our secret, or too long ago. Compare the secrets and the clocks of both.',
    retry: false,
  },
  forbidden: {
    status: 403,
    title: 'Your credentials do not open this',
    meaning:
      'It is known who you are, and that is not enough: `detail` names the scope that is needed. Ask whoever runs this for it.',
    retry: false,
  },
  origin_refused: {
    status: 403,
    title: 'Pages of that origin may not ask this',
    meaning:
      'A page of another site asked. Whoever runs this lets it in with the setting ALLOWED_ORIGINS.',
    retry: false,
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    meaning:
      'Nothing has that address, or nothing that is yours to see. /openapi.json lists what there is.',
    retry: false,
  },
  method_not_allowed: {
    status: 405,
    title: 'This route does not take that method',
    meaning: 'The address takes other methods. The header `Allow` lists them.',
    retry: false,
  },
  too_slow: {
    status: 408,
    title: 'The body did not arrive in time',
    meaning:
      'The whole body must arrive within 30 s. Send it again, over a better line or in smaller parts.',
    retry: true,
  },
  conflict: {
    status: 409,
    title: 'The database refused it: another row is in the way',
    meaning:
      'Another row has what must be unique, refers to this one, or was changed at the same time. `detail` says which.',
    retry: false,
  },
  wrong_state: {
    status: 409,
    title: 'In its present state that cannot be done',
    meaning: 'What you ask for cannot be done to it as it is now. Read it again, and see what can.',
    retry: false,
  },
  idempotency_in_progress: {
    status: 409,
    title: 'A request with that key is under way',
    meaning:
      'A request with the same Idempotency-Key has not ended yet. Wait as `Retry-After` says, and send it again.',
    retry: true,
  },
  reset: {
    status: 410,
    title: 'The position cannot be served any more',
    meaning:
      'The log no longer holds what comes after that position, or has begun anew. Take a snapshot, and go on from `epoch` and `head`.',
    retry: false,
  },
  precondition_failed: {
    status: 412,
    title: 'It has changed since you read it',
    meaning:
      'Somebody was faster: If-Match names another version than there is now. Read it again, and decide anew.',
    retry: false,
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    meaning:
      'More bytes came, or were announced, than the route takes. `detail` says how many it does.',
    retry: false,
  },
  unsupported_media_type: {
    status: 415,
    title: 'Only application/json is read',
    meaning: 'Send JSON in UTF-8 with `Content-Type: application/json`, and not compressed.',
    retry: false,
  },
  unprocessable: {
    status: 422,
    title: 'The database refused the values',
    meaning:
      'The body is well formed, and a rule of the database or of its triggers refuses what it says. `detail` says which.',
    retry: false,
  },
  unknown_users: {
    status: 422,
    title: 'There are no such users',
    meaning:
      'Some of the users that you name are not there. `detail` names them; nothing was done for the others either.',
    retry: false,
  },
  idempotency_key_reused: {
    status: 422,
    title: 'That key was used for another request',
    meaning:
      'Within 24 hours the same Idempotency-Key came with another method, address or body. Take a new key for each request.',
    retry: false,
  },
  invalid_event: {
    status: 422,
    title: 'The event cannot be read',
    meaning:
      'The event is signed, and is not as the provider describes it. Nothing of it was kept.',
    retry: false,
  },
  upgrade_required: {
    status: 426,
    title: 'This address speaks WebSocket',
    meaning: 'Open a WebSocket here; an ordinary request is not answered.',
    retry: false,
  },
  precondition_required: {
    status: 428,
    title: 'Say which version you change: send If-Match',
    meaning:
      'Send `If-Match` with the `ETag` that you read, so that nobody’s changes are overwritten unseen; `*` if you do not mind.',
    retry: false,
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    meaning:
      'You have asked more than your share in 10 s. Wait as `Retry-After` says; `RateLimit` tells how much is left.',
    retry: true,
  },
  internal: {
    status: 500,
    title: 'Something failed on our side',
    meaning:
      'It is in our log, with the request’s id. Try again in a moment; if it stays, tell that id to whoever runs this.',
    retry: true,
  },
  not_configured: {
    status: 503,
    title: 'A setting of the worker is missing',
    meaning: 'Whoever runs this has to set something first. `detail` names it.',
    retry: true,
  },
  sign_in_unavailable: {
    status: 503,
    title: 'The identity provider cannot be reached',
    meaning:
      'The keys that its tokens are signed with could not be read. Try again in a moment, with the same token.',
    retry: true,
  },
  database_unavailable: {
    status: 503,
    title: 'The database cannot be reached',
    meaning:
      'Postgres did not answer, or not in time. Try again in a moment; of a write look first whether it was done.',
    retry: true,
  },
} as const satisfies Record<
  string,
  { status: number; title: string; meaning: string; retry: boolean }
>

export type ProblemCode = keyof typeof problems

/** The body of every answer that is not a success. */
export type Problem = {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail?: string
  instance?: string
  /** As in the header `X-Request-Id`, and in the worker's log. */
  request_id?: string
  retry: boolean
  errors?: { path: string; message: string }[]
}
