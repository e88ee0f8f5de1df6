import pg from 'pg'
import { Failure } from './failure.ts'

const CONNECT_TIMEOUT_MS = 10_000

/**
 * @param options more for the client, such as `types` or `query_timeout`
 * @throws Failure in words, with what to do
 */
export async function openDatabase(url: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new Failure(
      'The address of the database cannot be read: set DATABASE_URL to postgres://user:password@host:5432/database.',
    )
  const client = new pg.Client({
    application_name: 'belfry cli',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...options,
    connectionString: withPlainTls(url),
  })
  // A connection that breaks between two queries: the next query says so.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    throw new Failure(unreachable(error, placeOf(client)))
  }
}

/** pg takes these modes for verify-full, as this says too, but warns each time that it does. */
function withPlainTls(url: string): string {
  return url.includes('uselibpqcompat')
    ? url
    : url.replace(/([?&]sslmode=)(prefer|require|verify-ca)\b/, '$1verify-full')
}

/** Host, port and name, without the password. */
export function placeOf({ host, port, database }: pg.Client): string {
  return `${host}:${port}/${database ?? ''}`
}

/** What the network, TLS or Postgres said (errno or SQLSTATE), and what to do about it. */
const troubles: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there. Start the database (`npm start` does), or correct the port',
  ENOTFOUND: 'there is no host of that name. Correct the host in DATABASE_URL',
  EAI_AGAIN: 'the host name cannot be looked up. Check the network, then the host in DATABASE_URL',
  ETIMEDOUT: 'nobody answers. Check the network and any firewall between',
  ECONNRESET: 'the connection broke off. Check that the port is Postgres, and whether it wants TLS',
  '28P01': 'the password is wrong. Correct it in DATABASE_URL',
  '28000': 'this user is not let in. Check the user in DATABASE_URL, and whether TLS is asked for',
  '3D000': 'there is no database of that name. Create it, or correct the name in DATABASE_URL',
  '53300': 'it has no connection left. Close some, or raise max_connections',
  '57P03': 'it is starting up or stopping. Try again in a moment',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by nobody known here. Name its authority with sslrootcert in DATABASE_URL',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by itself. Name it with sslrootcert in DATABASE_URL',
}

function unreachable(error: unknown, place: string): string {
  const { code, message } = error as { code?: string; message?: string }
  const known = code === undefined ? undefined : troubles[code]
  return known === undefined
    ? `The database at ${place} cannot be used (${message ?? error}): check DATABASE_URL.`
    : `The database at ${place} cannot be used: ${known}.`
}
