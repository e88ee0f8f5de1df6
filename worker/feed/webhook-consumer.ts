import type { Owed } from '../courier/delivery.ts'
import type { Env } from '../env.ts'
import { loadRows } from '../rules/load-rows.ts'
import { webhookRulebook } from '../rules/rulebook.ts'
import { type Moved, movedEndpoints, owedWebhooks } from '../webhooks/owed.ts'
import type { Consumer } from './consumer.ts'

/**
 * Hands what changes owe under the rules in force to the object of each endpoint, which drops
 * what it already has; and tells the objects where their endpoints are.
 * Must hold: what one endpoint is told stays in the order of the log. Endpoints do not wait for
 * each other. A change that cannot be decided for one is not done with, and goes to the others.
 */
export function webhookConsumer(env: Env, sql: SqlStorage): Consumer {
  const rulebook = webhookRulebook(sql, () => loadRows(env, 'rules'))
  return {
    name: 'webhooks',
    async handle(changes, { epoch, redriven }) {
      const book = await rulebook.open(epoch)
      const told = new Map<string, Told[]>()
      const failures: string[] = []
      for (const change of changes) {
        // What is redriven is behind: the book has passed it.
        if (!redriven) book.move(change)
        for (const moved of movedEndpoints(change))
          tell(told, moved.kind === 'forget' ? moved.id : moved.endpoint.id, moved)
        const found = owedWebhooks(change, book.entries)
        for (const owed of found.owed) tell(told, owed.recipient, { kind: 'owe', owed: [owed] })
        failures.push(...found.failures)
      }
      // One that is parked in the end has moved the book all the same.
      if (changes.length === 1) book.keep()
      await Promise.all(Array.from(told, ([endpoint, list]) => carryOut(env, endpoint, list)))
      if (failures.length > 0) throw new Error(failures.join('\n'))
      book.keep()
    },
  }
}

type Told = Moved | { kind: 'owe'; owed: Owed[] }

/** What is owed one after the other is handed over together. */
function tell(told: Map<string, Told[]>, endpoint: string, next: Told): void {
  const list = told.get(endpoint) ?? []
  told.set(endpoint, list)
  const last = list.at(-1)
  if (last?.kind === 'owe' && next.kind === 'owe') last.owed.push(...next.owed)
  else list.push(next)
}

async function carryOut(env: Env, endpoint: string, list: readonly Told[]): Promise<void> {
  const sender = env.WEBHOOKS.getByName(endpoint)
  for (const told of list)
    switch (told.kind) {
      case 'owe':
        await sender.enqueue(told.owed)
        break
      case 'configure':
        await sender.configure(told.endpoint)
        break
      case 'forget':
        await sender.forget()
    }
}
