import type { Env } from '../env.ts'
import type { Inboxes } from './tell-inbox.ts'

/** The inboxes of users, each by the user's id. */
export function inboxesOf({ INBOX }: Pick<Env, 'INBOX'>): Inboxes {
  return {
    getByName(user) {
      const inbox = INBOX.getByName(user)
      return {
        hear: (changes, feed) => inbox.hear(changes, feed),
        wake: () => inbox.wake(),
      }
    },
  }
}
