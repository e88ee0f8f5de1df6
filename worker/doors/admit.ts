import type { Context, MiddlewareHandler } from 'hono'
import { problem } from '../api/problem.ts'
import { acceptAndClose, isUpgrade } from '../api/refusal.ts'
import { countRefusal } from '../api/refusal-count.ts'
import type { Env } from '../env.ts'
import { addressOf } from './address.ts'
import type { Admission, Budget } from './budget.ts'
import { doorkeeper, doorOf } from './door-of.ts'
import { KnownRefusals } from './known-refusals.ts'
import type { Principal } from './principal.ts'
import { requestIdOf } from './request-id.ts'
import type { Served } from './served.ts'

/**
 * How much one principal may ask (P101), refusals among it.
 *
 * The Doorkeeper is authoritative on who has asked too much, and it alone counts. Must hold: one
 * principal's requests take nothing from another's. What changes something or opens a socket waits
 * for its word; a GET is asked about beside its route, and its answer is thrown away if it was one
 * too many. If the Doorkeeper does not answer, the request goes on.
 */
export const admit: MiddlewareHandler<Served> = async (c, next) => {
  const limited = isCounted(c.req.path) ? limitOf(c) : null
  if (limited === null) return next()
  const asked = ask(c, limited)
  const isRead = (c.req.method === 'GET' || c.req.method === 'HEAD') && !isUpgrade(c.req.raw)
  if (isRead) {
    await next()
    const admission = await asked
    if (admission?.allowed === false) {
      await c.res.body?.cancel()
      // The answer's own headers are of what was thrown away.
      c.res = undefined
      c.res = refuse(c, admission)
    }
    return tell(c, admission)
  }
  const admission = await asked
  if (admission?.allowed === false) {
    if (!isUpgrade(c.req.raw)) c.res = refuse(c, admission)
    else {
      countRefusal(c, 'subscriber', 'rate_limited')
      return acceptAndClose('rate_limited', detailOf(admission))
    }
  } else await next()
  return tell(c, admission)
}

/** What is signed by those who send it, who send as much as there is; and what is watched by. */
export function isCounted(path: string): boolean {
  return !/^\/(link|webhooks\/resend|healthz)$/.test(path)
}

export const WINDOW_MS = 10_000

/** Requests in a window, unless the settings say otherwise. */
const LIMITS = { anyone: 100, user: 200, staff: 1_000 }

type Limited = { name: string; budget: Budget }

function limitOf(c: Context<Served>): Limited | null {
  const { principal } = c.var
  const limit = limitFor(c.env, principal)
  if (limit === null) return null
  const name = principal.kind === 'anyone' ? `address:${addressOf(c) ?? ''}` : principal.name
  return { name, budget: { limit, windowMs: WINDOW_MS } }
}

/** @returns null without a limit */
export function limitFor(
  { RATE_LIMIT_ANYONE, RATE_LIMIT_USER, RATE_LIMIT_STAFF }: Env,
  { kind }: Pick<Principal, 'kind'>,
): number | null {
  switch (kind) {
    case 'anyone':
      return limitIn(RATE_LIMIT_ANYONE, LIMITS.anyone)
    case 'user':
      return limitIn(RATE_LIMIT_USER, LIMITS.user)
    case 'key':
    case 'token':
      return limitIn(RATE_LIMIT_STAFF, LIMITS.staff)
    case 'operator':
      return null
  }
}

/** What is no whole number is taken for not set: a slip of the pen lifts no limit. */
function limitIn(setting: string | undefined, unlessSet: number): number | null {
  const limit = /^\d{1,9}$/.test(setting ?? '') ? Number(setting) : unlessSet
  return limit === 0 ? null : limit
}

/** A Doorkeeper that is slower than this keeps nobody waiting. */
const PATIENCE_MS = 1_000

/** An isolate asks no more about whom it knows to be refused, until then. */
const known = new KnownRefusals(10_000)

/** @returns null if nobody can say */
async function ask(c: Context<Served>, { name, budget }: Limited): Promise<Admission | null> {
  const refused = known.of(name, budget, Date.now())
  if (refused) return refused
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no word in ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  try {
    const word = doorkeeper(c.env, doorOf(name)).admit(name, budget, 1)
    const admission = await Promise.race([word, late])
    known.note(name, admission, Date.now())
    return admission
  } catch (error) {
    console.warn(
      JSON.stringify({
        message: 'a request was let in uncounted',
        request_id: requestIdOf(c),
        error: String(error),
      }),
    )
    return null
  } finally {
    clearTimeout(timer)
  }
}

function refuse(c: Context<Served>, admission: Admission): Response {
  return problem(c, 'rate_limited', {
    detail: detailOf(admission),
    headers: { 'retry-after': String(secondsOf(admission.retryMs)) },
  })
}

function detailOf({ limit, retryMs }: Admission): string {
  return `At most ${limit} requests in ${WINDOW_MS / 1_000} s. Ask again in ${secondsOf(retryMs)} s.`
}

function tell(c: Context<Served>, admission: Admission | null): void {
  if (!admission) return
  const { limit, remaining, resetMs } = admission
  c.header('ratelimit-policy', `"default";q=${limit};w=${WINDOW_MS / 1_000}`)
  c.header('ratelimit', `"default";r=${remaining};t=${secondsOf(resetMs)}`)
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1_000)
}
