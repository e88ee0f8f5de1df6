import type { Context, MiddlewareHandler } from 'hono'
import type { Env } from '../env.ts'
import { type Door, Refusals } from '../feed/refusals.ts'

/** A flood of bad requests is one call to the feed in so long, from each isolate it reaches. */
const HAND_OVER_MS = 5_000
/** A hand-over whose request was cut off never comes to its end. */
const GIVE_UP_MS = 30_000

const counted = new Refusals()
let begunAt = 0

/** For `app.use`, before everything else: the problem that was answered. */
export const countProblems: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  await next()
  const code: unknown = c.get('problem' as never)
  if (typeof code === 'string') countRefusal(c, 'http', code)
}

/** What was refused at the worker's own doors, where no object has a part in it. */
export function countRefusal(
  c: Pick<Context<{ Bindings: Env }>, 'env' | 'executionCtx'>,
  door: Door,
  code: string,
): void {
  counted.add(door, code)
  const now = Date.now()
  if (now - begunAt < GIVE_UP_MS) return
  begunAt = now
  c.executionCtx.waitUntil(handOverLater(c.env))
}

/** Gives the feed what this isolate has counted. */
export async function handOverRefusals(env: Env): Promise<void> {
  const refused = counted.take()
  if (refused.length === 0) return
  try {
    await env.FEED.getByName('main').countRefused(refused)
  } catch (error) {
    counted.addAll(refused)
    console.warn(JSON.stringify({ message: 'refusals were not counted', error: String(error) }))
  }
}

async function handOverLater(env: Env): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, HAND_OVER_MS))
  begunAt = 0
  await handOverRefusals(env)
}
