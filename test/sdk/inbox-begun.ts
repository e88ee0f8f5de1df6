import { setImmediate } from 'node:timers/promises'
import { type InboxOptions, inboxOn } from '../../client/sdk/inbox.ts'
import type { Listing } from '../../client/sdk/inbox-held.ts'
import { InboxServer } from './inbox-server.ts'

/** An inbox that was read and is live, if its server lets it. */
export async function begin(options: Partial<InboxOptions> = {}, server = new InboxServer()) {
  const arrived: string[] = []
  const inbox = inboxOn(
    server.world,
    {
      url: 'https://belfry.example/base',
      token: 's3cret',
      onNotification: ({ title }) => arrived.push(title),
      ...options,
    },
    server.fetch,
  )
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) {
      await setImmediate()
      server.serve()
    }
  }
  await settled()
  const titles = (listing?: Listing) => inbox.list(listing).map(({ title }) => title)
  return { server, world: server.world, inbox, settled, titles, arrived }
}

/** Ten, `1` the oldest. */
export function withTen(): InboxServer {
  const server = new InboxServer()
  for (let n = 1; n <= 10; n++) server.deliver(String(n))
  return server
}
