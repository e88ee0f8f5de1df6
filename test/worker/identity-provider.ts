import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { vi } from 'vitest'

export const ISSUER = 'https://id.test/'
export const AUDIENCE = 'https://belfry.test'
export const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

type Pair = { kid: string; sign: CryptoKey; jwk: JWK }

/** Whoever signs people in: a key for each algorithm, and an address where they are read. */
export class IdentityProvider {
  url = ''
  /** Every address that was read, here and elsewhere. */
  read: string[] = []
  answer: () => Response | Promise<Response> = () => Response.json(this.keySet())
  readonly #pairs: Map<Algorithm, Pair>

  private constructor(pairs: Map<Algorithm, Pair>) {
    this.#pairs = pairs
  }

  static async start(): Promise<IdentityProvider> {
    const pairs = await Promise.all(
      algorithms.map(async (alg): Promise<[Algorithm, Pair]> => {
        const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
        const kid = `key for ${alg}`
        const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
        return [alg, { kid, sign: privateKey as CryptoKey, jwk }]
      }),
    )
    return new IdentityProvider(new Map(pairs))
  }

  /** At an address that nobody has read. `fetch` is a stand-in; what is asked of others goes on. */
  listen(): void {
    this.url = `https://id.test/${crypto.randomUUID()}/jwks`
    this.read = []
    this.answer = () => Response.json(this.keySet())
    const others = vi.mocked(globalThis.fetch).getMockImplementation()
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      const address = String(input)
      if (!address.includes('id.test')) return others?.(input, init) ?? Response.error()
      this.read.push(address)
      if (address !== this.url) return Response.error()
      const answer = await this.answer()
      const isFollowed = answer.headers.has('location') && init?.redirect !== 'manual'
      return isFollowed ? Response.json(this.keySet()) : answer
    })
  }

  keySet(...others: JWK[]): { keys: JWK[] } {
    return { keys: [...[...this.#pairs.values()].map(({ jwk }) => jwk), ...others] }
  }

  pair(alg: Algorithm): Pair {
    const pair = this.#pairs.get(alg)
    if (!pair) throw new Error(`no key for ${alg}`)
    return pair
  }

  /** @param claims besides, or instead of, those of a good token; undefined takes one away */
  async token({ alg = 'RS256', claims = {}, header = {}, by }: Wanted = {}): Promise<string> {
    const pair = this.pair(alg)
    const all = { sub: 'auth0|7', iss: ISSUER, aud: AUDIENCE, exp: seconds() + 600, ...claims }
    return new SignJWT(JSON.parse(JSON.stringify(all)))
      .setProtectedHeader({ alg, kid: pair.kid, ...header } as JWTHeaderParameters)
      .sign(by ?? pair.sign)
  }
}

export type Wanted = {
  alg?: Algorithm
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  by?: CryptoKey | Uint8Array
}

export function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
