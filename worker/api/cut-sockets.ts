import type { Context } from 'hono'
import { type KeyringEnv, renewKeyring } from '../doors/keyring-book.ts'
import type { Cut } from '../doors/session.ts'

/** As much of the bindings as is needed here. */
export type CutEnv = KeyringEnv & {
  FEED: { getByName(name: string): { cut(cut: Cut): Promise<void> } }
}

/** What was just written about keys and revocations is known to whoever asks next. Never throws. */
export async function tellKeyring(env: KeyringEnv): Promise<void> {
  await renewKeyring(env).catch((error: unknown) => {
    const message = 'the keyring was not told at once'
    console.warn(JSON.stringify({ message, error: String(error) }))
  })
}

/**
 * Has the sockets of what was just revoked closed. The feed brings the same, by the row that was
 * written: what fails here is done by it.
 */
export function cutSockets(
  { env, executionCtx }: Pick<Context<{ Bindings: CutEnv }>, 'env' | 'executionCtx'>,
  cut: Cut,
): void {
  executionCtx.waitUntil(
    env.FEED.getByName('main')
      .cut(cut)
      .catch((error: unknown) => {
        const message = 'sockets were not cut at once'
        console.warn(JSON.stringify({ message, error: String(error) }))
      }),
  )
}
