import { createServer, type Server } from 'node:http'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { localhost } from '../../dev/ports.ts'

/**
 * The identity provider of a run, and whoever would like to be taken for it: `/jwks` is what the
 * worker is told of, `/evil` has the attacker's key, and who asks for what is counted.
 */
export type Identity = {
  jwksUrl: string
  evilUrl: string
  issuer: string
  audience: string
  /** The provider's public key, as PEM and as JWK: known to everybody. */
  publicPem: string
  publicJwk: JWK
  kid: string
  evilJwk: JWK
  /** Requests for a path so far. */
  asked: (path: string) => number
  /** Signed with the provider's key, unless another is given. */
  sign: (
    claims: JWTPayload,
    header?: Partial<JWTHeaderParameters>,
    key?: CryptoKey,
  ) => Promise<string>
  evilKey: CryptoKey
  close: () => Promise<void>
}

export const ISSUER = 'https://identity.test/'
export const AUDIENCE = 'belfry-doors'

export async function serveIdentity(port: number): Promise<Identity> {
  const [ours, theirs] = await Promise.all([pair(), pair()])
  const counts = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    counts.set(path, (counts.get(path) ?? 0) + 1)
    const keys = path === '/jwks' ? [ours.jwk] : path === '/evil' ? [theirs.jwk] : null
    response.writeHead(keys ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: keys ?? [] }))
  })
  await listen(server, port)
  const at = `http://${localhost}:${port}`
  return {
    jwksUrl: `${at}/jwks`,
    evilUrl: `${at}/evil`,
    issuer: ISSUER,
    audience: AUDIENCE,
    publicPem: await exportSPKI(ours.publicKey),
    publicJwk: ours.jwk,
    kid: ours.jwk.kid ?? '',
    evilJwk: theirs.jwk,
    evilKey: theirs.privateKey,
    asked: (path) => counts.get(path) ?? 0,
    sign: (claims, header = {}, key = ours.privateKey) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: ours.jwk.kid ?? '', typ: 'JWT', ...header })
        .sign(key),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** HS256 with the worker's AUTH_SECRET, or with another. */
export async function signWithSecret(
  secret: string | Uint8Array,
  claims: JWTPayload,
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  const key = await importJWK({ kty: 'oct', k: Buffer.from(bytes).toString('base64url') }, 'HS256')
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(key)
}

/** Any text as header and claims, with any signature: what no library would write. */
export function compose(header: unknown, claims: unknown, signature = ''): string {
  const part = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}

async function pair() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return {
    publicKey,
    privateKey,
    jwk: { ...jwk, alg: 'RS256', use: 'sig', kid: await calculateJwkThumbprint(jwk) },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: localhost, port, exclusive: true }, () => resolve())
  })
}
