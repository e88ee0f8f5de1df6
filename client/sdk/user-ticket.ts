import type { Topic } from '../../protocol/ticket.ts'
import type { UserRequests } from './user-requests.ts'

/**
 * Exchanges the user's token for a ticket, which opens one socket once: a token does not belong in
 * an address, which is logged.
 * @throws what a request throws
 */
export async function ticketFor(requests: UserRequests, topic: Topic): Promise<string> {
  const answer = await requests.request('POST', 'api/me/tickets', {
    body: { topic },
    isAnew: true,
  })
  const { ticket } = (answer ?? {}) as { ticket?: unknown }
  if (typeof ticket !== 'string')
    throw new Error('the worker answered something else than a ticket')
  return ticket
}
