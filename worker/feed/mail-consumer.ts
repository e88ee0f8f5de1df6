import { cutsOf } from '../doors/revoked-in.ts'
import type { Env } from '../env.ts'
import { owedMails } from '../mail/owed.ts'
import { loadRows } from '../rules/load-rows.ts'
import { mailRulebook } from '../rules/rulebook.ts'
import type { Consumer } from './consumer.ts'

/**
 * Hands what changes owe under the rules in force to the Mailer, which drops what it already has.
 * A change that cannot be decided for one rule is not done with: it is tried again and then
 * parked, and what it owes by other rules goes out all the same. Who watches the Mailer hears no
 * page of the log, so it is told from here what was revoked.
 */
export function mailConsumer(env: Env, sql: SqlStorage): Consumer {
  const rulebook = mailRulebook(sql, () => loadRows(env, 'rules'))
  return {
    name: 'mail',
    async handle(changes, { epoch, redriven }) {
      for (const cut of cutsOf(changes)) await env.MAILER.getByName('main').cut(cut)
      const book = await rulebook.open(epoch)
      const found = changes.map((change) => {
        // What is redriven is behind: the book has passed it.
        if (!redriven) book.move(change)
        return owedMails(change, book.entries, env)
      })
      // One that is parked in the end has moved the book all the same.
      if (changes.length === 1) book.keep()
      const owed = found.flatMap((each) => each.owed)
      if (owed.length > 0) await env.MAILER.getByName('main').enqueue(owed)
      const failures = found.flatMap((each) => each.failures)
      if (failures.length > 0) throw new Error(failures.join('\n'))
      book.keep()
    },
  }
}
