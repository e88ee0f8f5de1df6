import type { ConnectionState } from '../../sdk/belfry.ts'
import { platform } from '../../sdk/platform.ts'
import { type Pokes, pokesOn } from '../../sdk/pokes.ts'
import { sdkToken } from '../credential.ts'

type Following = { onPoke(): void; onState?(state: ConnectionState): void }

/** Says when a mail moved, until it is closed. */
export function followMails(following: Following): Pokes {
  const { token } = sdkToken()
  return pokesOn(platform, {
    url: location.origin,
    path: 'api/emails/live',
    ...(token !== undefined && { door: { token, topic: 'mails' } }),
    ...following,
  })
}
