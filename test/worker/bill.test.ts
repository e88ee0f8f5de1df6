import { runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, it, vi } from 'vitest'
import { Log } from '../../worker/feed/log.ts'
import { CONSUMERS, rows } from '../bench/cost.ts'
import { bindings, openLink, orderChanges, startAfresh } from './link.ts'

afterEach(startAfresh)

const feed = () => bindings.FEED.getByName('main')

type Ran = { query: string; cursor: { rowsWritten: number } }

/** What the feed's SQL does from here on, with the rows as the runtime counts them. */
async function watchSql(): Promise<readonly Ran[]> {
  const ran: Ran[] = []
  await runInDurableObject(feed(), (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql)
    sql.exec = (query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values)
      ran.push({ query, cursor })
      return cursor as never
    }
  })
  return ran
}

function caughtUp(): Promise<void> {
  return vi.waitFor(async () => {
    const { consumers } = await feed().status()
    expect(consumers.map(({ behind }) => behind)).toEqual(Array(CONSUMERS).fill(0))
  })
}

it('the feed writes the rows that the bench puts on the bill', async () => {
  const [batches, changes] = [5, 4]
  const link = await openLink()
  await link.deliver(orderChanges(changes))
  // Which rules there are is written down once in a life of the feed.
  await caughtUp()
  const ran = await watchSql()
  for (let batch = 0; batch < batches; batch++) await link.deliver(orderChanges(changes))
  await caughtUp()
  const pruned = await runInDurableObject(feed(), (_, { storage }) => {
    const limits = { maxChanges: changes, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 1e12 }
    return new Log(storage).prune(limits, Number.POSITIVE_INFINITY, Date.now())
  })
  // The newest stays, and the one that was there before goes in its place.
  expect(pruned).toBe(batches * changes)

  const runs = ran.filter(({ query }) => /^\s*UPDATE consumers/.test(query)).length
  expect(runs).toBeGreaterThan(0)
  expect(ran.reduce((sum, { cursor }) => sum + cursor.rowsWritten, 0)).toBe(
    batches * changes * rows.perChange + batches * rows.perBatch + runs * rows.perConsumerRun,
  )
})
