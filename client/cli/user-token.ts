import { z } from 'zod'
import type { Token } from '../sdk/belfry.ts'
import { signInAddress } from './address.ts'
import { wholeNumber } from './arguments.ts'
import type { Credential } from './credential.ts'
import { Failure, UsageError } from './failure.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const given = z.object({ token: z.string().min(1), expires_at: z.string().optional() })
const refused = z.object({ message: z.string() })

const TIMEOUT_MS = 10_000

/**
 * Says who asks: a local run signs in whomever one names; elsewhere BELFRY_TOKEN is a user's token.
 * @param user the id, null if none was named
 * @returns a token, or what gives a new one each time
 * @throws UsageError
 */
export function userToken(user: string | null, terminal: Terminal): Token {
  const { BELFRY_TOKEN } = terminal.env
  if (user === null) {
    if (BELFRY_TOKEN) return BELFRY_TOKEN
    throw new UsageError(
      signInAddress(terminal) === null
        ? 'set BELFRY_TOKEN to the token of a user, who is then asked for.'
        : '--user is missing: whose inbox? `belfry users list` shows who there is.',
    )
  }
  const id = wholeNumber('--user', user)
  const address = signInAddress(terminal)
  if (address === null)
    throw new UsageError(
      '--user is for a local run, which signs in anybody: elsewhere set BELFRY_TOKEN to the user’s token.',
    )
  return async () => (await signIn(address, `/token?user=${id}`)).token
}

/** @throws UsageError, Failure */
export async function userCredential(
  user: string | undefined,
  terminal: Terminal,
): Promise<Credential> {
  const token = userToken(user ?? null, terminal)
  return typeof token === 'string'
    ? { token, from: 'BELFRY_TOKEN' }
    : { token: await token(), from: 'local run' }
}

export type SignedIn = z.infer<typeof given>

/**
 * Asks whoever signs people in at a local run.
 * @param path such as `/token?user=3`
 * @throws Failure in words
 */
export async function signIn(address: string, path: string): Promise<SignedIn> {
  let answer: { ok: boolean; body: unknown }
  try {
    const response = await fetch(address + path, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    answer = { ok: response.ok, body: await response.json() }
  } catch {
    throw new Failure(
      `The local run that signs users in (${address}) does not answer: start again with \`npm start\`.`,
    )
  }
  const token = given.safeParse(answer.body)
  if (answer.ok && token.success) return token.data
  const why = refused.safeParse(answer.body)
  throw new Failure(
    why.success
      ? printable(why.data.message)
      : `${address} answered something else than the local run does: start again with \`npm start\`.`,
  )
}
