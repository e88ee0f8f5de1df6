import type { Context } from 'hono'
import { verifyLink } from '../../protocol/signature.ts'
import type { Env } from '../env.ts'
import { NONCE_HEADER } from '../feed/links.ts'
import { acceptAndClose } from './refusal.ts'
import { countRefusal } from './refusal-count.ts'

/** The listener's link: its signature is verified here, so that no other request wakes the feed. */
export async function link<E extends { Bindings: Env }>(c: Context<E>): Promise<Response> {
  const { env } = c
  const request = c.req.raw
  const verdict = await verifyLink(
    request.headers.get('authorization'),
    [env.LINK_SECRET, env.LINK_SECRET_PREVIOUS],
    Date.now(),
  )
  if (!verdict.ok) {
    countRefusal(c, 'link', 'unauthorized')
    return acceptAndClose('unauthorized', `the signature is ${verdict.reason}`)
  }
  const headers = new Headers(request.headers)
  headers.set(NONCE_HEADER, verdict.nonce)
  // The address is rebuilt, because partyserver lets a query choose the connection's id.
  return env.FEED.getByName('main').fetch(new Request('https://feed/link', { headers }))
}
