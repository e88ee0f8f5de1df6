import type { Env } from '../env.ts'

/** So long what the feed said is passed on: an inbox of another epoch mends itself a little later. */
const REMEMBERED_MS = 10_000

let known: { epoch: string; at: number } | null = null

/**
 * Which epoch the feed is in, as inboxes are told it.
 * @throws when the feed was never reached
 */
export async function feedEpoch({ FEED }: Pick<Env, 'FEED'>): Promise<string> {
  const now = Date.now()
  if (known && now - known.at < REMEMBERED_MS) return known.epoch
  try {
    // Asked for what no log has come to, it answers where it stands, without reading.
    const { epoch } = await FEED.getByName('main').read(null, Number.MAX_SAFE_INTEGER)
    known = { epoch, at: now }
  } catch (error) {
    if (known === null) throw error
  }
  return known.epoch
}
