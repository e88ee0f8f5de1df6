import type { Context, MiddlewareHandler } from 'hono'
import { problem } from '../api/problem.ts'
import { ARRIVAL_MS, type ArrivedBody, arrivingBody, dropBody } from './arriving-body.ts'
import { whyNotJson } from './json-bytes.ts'

/**
 * The bodies of JSON (P98). The bytes that arrive are authoritative, and nothing that was said of
 * them before. Must hold: a route sees none that is longer than it takes, late, compressed, not
 * strictly UTF-8 or nested too deep; what it sees is what was checked. A body that is refused is
 * not read to its end. A route without this reads no body, and what was sent with it is dropped.
 */
export const MAX_BODY_BYTES = 64 * 1024

/** For a route that takes more, or less, than `limitedBody`. */
export function bodyOfAtMost(maxBytes: number): MiddlewareHandler {
  return async (c, next) => {
    if (!c.req.raw.body) return next()
    const refused = refusedByHeaders(c)
    if (refused !== null) {
      dropBody(c.req.raw)
      return problem(c, 'unsupported_media_type', { detail: refused })
    }
    const arrived = await arrivingBody(c.req.raw, maxBytes)
    if (arrived.kind !== 'whole') return refuseBody(c, arrived, maxBytes)
    const fault = whyNotJson(arrived.bytes)
    if (fault !== null) return problem(c, 'invalid_body', fault)
    const { method, headers, url } = c.req.raw
    c.req.raw = new Request(url, {
      method,
      headers,
      ...(arrived.bytes.byteLength === 0 ? {} : { body: arrived.bytes }),
    })
    return next()
  }
}

/** Middleware of every route that reads a body of JSON. */
export const limitedBody = bodyOfAtMost(MAX_BODY_BYTES)

/** Of a body that did not arrive as a whole. */
export function refuseBody(
  c: Context,
  { kind }: Exclude<ArrivedBody, { kind: 'whole' }>,
  maxBytes: number,
) {
  switch (kind) {
    case 'too_large':
      return problem(c, 'body_too_large', { detail: `Send at most ${maxBytes} bytes.` })
    case 'too_slow':
      return problem(c, 'too_slow', {
        detail: `The whole body must arrive within ${ARRIVAL_MS / 1_000} s. Send it again, faster.`,
      })
    case 'broken_off':
      return problem(c, 'invalid_body', { detail: 'The body broke off. Send it again.' })
  }
}

function refusedByHeaders({ req }: Context): string | null {
  const encoding = req.header('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity')
    return 'Send the body as it is, without the header "Content-Encoding".'
  const [, charset = 'utf-8'] =
    /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(req.header('content-type') ?? '') ?? []
  return charset.toLowerCase() === 'utf-8' ? null : 'Send the body in UTF-8.'
}
