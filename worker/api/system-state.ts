import type { DeliveryCounts } from '../courier/delivery.ts'
import type { Env } from '../env.ts'
import type { FeedStatus } from '../feed/status.ts'

/** How feed and mailer are doing, asked of both at once; `waitingSince` in ms since 1970. */
export type SystemState = { feed: FeedStatus; counts: DeliveryCounts; waitingSince: number | null }

export async function systemState(env: Env): Promise<SystemState> {
  const mailer = env.MAILER.getByName('main')
  const [feed, counts, waitingSince] = await Promise.all([
    env.FEED.getByName('main').status() as Promise<FeedStatus>,
    mailer.counts(),
    mailer.waitingSince(),
  ])
  return { feed, counts, waitingSince }
}
