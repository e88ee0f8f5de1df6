import type { Env } from '../env.ts'
import { isLocalRun, readAddress } from './address.ts'
import type { Endpoint } from './endpoint.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import { whyOff } from './health.ts'
import { lookUp } from './name-lookup.ts'
import { readRegistered } from './registered.ts'

/**
 * Where a message may go now. What is known of an endpoint, and of what its name stands for, is
 * an hour old at most: a name that was public when it was registered may not be any more.
 *
 * Must hold: while that is not known nothing is sent. What cannot be asked (our database, the
 * resolver) is not the endpoint's fault and costs nothing but time; without the database an
 * endpoint that is known is sent to all the same.
 */
export type Destination =
  | { kind: 'at'; url: string }
  /** Nothing can be asked: everything waits. */
  | { kind: 'hold'; why: string }
  /** It must not be called, whatever time passes. */
  | { kind: 'refused'; why: string }
  /** It cannot be called now, and that is the endpoint's doing. */
  | { kind: 'failing'; why: string }

const KNOWN_MS = 3_600_000

/** @param configure takes what Postgres says */
export async function readDestination(
  env: Env,
  id: string,
  record: EndpointRecord,
  configure: (endpoint: Endpoint) => void,
): Promise<Destination> {
  const isFresh = Date.now() - record.checkedAt < KNOWN_MS
  if (!isFresh) {
    const registered = await readRegistered(env, id)
    if (registered.kind === 'missing') return refused('The endpoint is not registered any more.')
    if (registered.kind === 'registered') configure(registered.endpoint)
    else if (!record.endpoint)
      return { kind: 'hold', why: `It is not known where the endpoint is. ${registered.why}` }
  }
  const off = whyOff(record.health)
  if (off !== null) return refused(off)
  const { url = '' } = record.endpoint ?? {}
  const local = isLocalRun(env.PUBLIC_URL)
  const address = readAddress(url, { local })
  if (!address.ok) return refused(`Its address ${address.why}. Give it another one.`)
  if (isFresh) return { kind: 'at', url }

  const { hostname } = address.url
  const found = local ? ({ kind: 'public' } as const) : await lookUp(hostname)
  switch (found.kind) {
    case 'private':
      return refused(
        `Its address leads into a private network: ${hostname} is ${found.address}. Give it another one.`,
      )
    case 'nowhere':
      return { kind: 'failing', why: `No address is known of ${hostname}.` }
    case 'unknown':
      return { kind: 'hold', why: `It is not known what ${hostname} stands for: ${found.why}` }
    case 'public':
      // Unless it was given another one meanwhile.
      if (record.endpoint?.url === url) record.checkedAt = Date.now()
      return { kind: 'at', url }
  }
}

function refused(why: string): Destination {
  return { kind: 'refused', why }
}
