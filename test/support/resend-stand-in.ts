import { randomInt } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { serveLocally } from '../../dev/local-http.ts'
import { serveMailbox } from '../../dev/mailbox.ts'
import type { StormContext } from './storm-context.ts'

const NEXT_MAIL_MS = 300

/**
 * For the storm: the stand-in, in the process that runs the tests, with a clock that can be moved
 * and a way to wait for the moment in which it has taken a mail and not yet answered.
 */
export default async function setup({ provide }: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-storm-'))
  const taken = new EventEmitter()
  let aheadMs = 0
  const mailbox = await serveMailbox({
    file: join(folder, 'mails.jsonl'),
    port: 0,
    keep: 10_000,
    now: () => Date.now() + aheadMs,
    onMail: () => taken.emit('mail'),
  })
  const control = await serveLocally(0, 0, async ({ url }) => {
    if (url.pathname === '/next-mail') {
      const signal = AbortSignal.timeout(NEXT_MAIL_MS)
      await once(taken, 'mail', { signal }).catch(() => 'none came')
    }
    aheadMs += Number(url.searchParams.get('pass'))
    return { status: 200, body: aheadMs }
  })
  const seed = Number(process.env.STORM_SEED ?? randomInt(1e9))
  provide('storm', {
    mailboxUrl: mailbox.url,
    controlUrl: control.url,
    seed,
  } satisfies StormContext)
  return async () => {
    await Promise.all([mailbox.close(), control.close()])
    rmSync(folder, { recursive: true })
  }
}
