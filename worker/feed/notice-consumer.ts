import type { Env } from '../env.ts'
import { owedNotices } from '../notices/owed.ts'
import { writeNotices } from '../notices/write.ts'
import { loadRows } from '../rules/load-rows.ts'
import { inboxRulebook } from '../rules/rulebook.ts'
import type { Consumer } from './consumer.ts'

/**
 * Writes the notifications that changes owe under the rules in force into the table
 * `notifications`, which takes each once, however often its change is handed over. From there they
 * are anyone's: planned, delivered and told of as what SQL writes is.
 * A change that owes what cannot be written is not done with: it is tried again and then parked, and
 * whatever else it owes is written all the same. While the database is away it waits.
 */
export function noticeConsumer(env: Env, sql: SqlStorage): Consumer {
  const rulebook = inboxRulebook(sql, () => loadRows(env, 'rules'))
  return {
    name: 'notices',
    async handle(changes, { epoch, redriven }) {
      const book = await rulebook.open(epoch)
      const found = changes.map((change) => {
        // What is redriven is behind: the book has passed it.
        if (!redriven) book.move(change)
        return owedNotices(change, book.entries)
      })
      // One that is parked in the end has moved the book all the same.
      if (changes.length === 1) book.keep()
      const unwritten = await writeNotices(
        env,
        found.flatMap(({ owed }) => owed),
      )
      const failures = [...found.flatMap((each) => each.failures), ...unwritten]
      if (failures.length > 0) throw new Error(failures.join('\n'))
      book.keep()
    },
  }
}
