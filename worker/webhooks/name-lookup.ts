import { z } from 'zod'
import { addressInHost } from './address.ts'
import { isPublicAddress } from './network.ts'

/**
 * What a name stands for, asked over HTTPS of a public resolver, because a worker has no other
 * DNS. One address within a private network is enough to refuse it: nobody knows which of them a
 * request will go to. A resolver that does not answer is not the endpoint's fault.
 */
export type Lookup =
  | { kind: 'public' }
  | { kind: 'private'; address: string }
  | { kind: 'nowhere' }
  | { kind: 'unknown'; why: string }

export const RESOLVER = 'https://cloudflare-dns.com/dns-query'
const TIMEOUT_MS = 5_000
/** Types of DNS records. */
const [A, AAAA] = [1, 28]
const [NO_ERROR, NO_SUCH_NAME] = [0, 3]

export async function lookUp(hostname: string): Promise<Lookup> {
  const inHost = addressInHost(hostname)
  if (inHost !== null) return judgeAddresses([inHost])
  // Not AbortSignal.timeout: its timer would keep the object in memory long after the answer.
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  try {
    const types = [A, AAAA].map((type) => ask(hostname, type, controller.signal))
    return judgeAddresses((await Promise.all(types)).flat())
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}

export function judgeAddresses(addresses: readonly string[]): Lookup {
  const inner = addresses.find((address) => !isPublicAddress(address))
  if (inner !== undefined) return { kind: 'private', address: inner }
  return { kind: addresses.length === 0 ? 'nowhere' : 'public' }
}

/**
 * The addresses in an answer of the resolver; the names on the way there (CNAME) stand in it too.
 * @throws if it does not say
 */
export function addressesIn(answer: unknown, type: number): string[] {
  const { Status: status, Answer: records = [] } = dnsAnswer.parse(answer)
  if (status === NO_SUCH_NAME) return []
  if (status !== NO_ERROR) throw new Error(`the resolver could not say (DNS status ${status})`)
  return records.filter((record) => record.type === type).map(({ data }) => data)
}

async function ask(hostname: string, type: number, signal: AbortSignal): Promise<string[]> {
  const query = new URLSearchParams({ name: hostname, type: String(type) })
  const headers = { accept: 'application/dns-json' }
  const response = await fetch(`${RESOLVER}?${query}`, { headers, signal })
  if (!response.ok) throw new Error(`the resolver answered ${response.status}`)
  return addressesIn(await response.json(), type)
}

const dnsAnswer = z.object({
  Status: z.int(),
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).optional(),
})
