import type { Env } from '../env.ts'
import { owedMails } from '../mail/owed.ts'
import { recipients } from '../mail/recipients.ts'
import type { Consumer } from './consumer.ts'

/** Hands the mails that changes owe to the Mailer, which drops those it already has. */
export function mailConsumer(env: Env): Consumer {
  return {
    name: 'mail',
    async handle(changes) {
      const fixed = recipients(env.ALERT_RECIPIENTS)
      const owed = changes.flatMap((change) => owedMails(change, fixed))
      if (owed.length > 0) await env.MAILER.getByName('main').enqueue(owed)
    },
  }
}
