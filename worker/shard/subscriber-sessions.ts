import { NOTHING } from '../../protocol/scope.ts'
import { hearsNoLess } from '../doors/session.ts'
import { type SessionParts, Sessions } from '../doors/sessions.ts'
import type { Subscriber } from './subscriber.ts'

/** The sessions of a shard's subscribers. */
export function subscriberSessions(
  parts: Pick<SessionParts<Subscriber>, 'env' | 'all' | 'end' | 'moved'>,
): Sessions<Subscriber> {
  return new Sessions({
    ...parts,
    isOpen: ({ isOpen }) => isOpen,
    session: ({ session }) => session,
    keep: (subscriber, session) => {
      subscriber.session = session
    },
    mayStay: ({ subscription }, asking) => hearsNoLess(asking, subscription.scope ?? NOTHING),
    say: ({ socket }, text) => socket.send(text),
  })
}
