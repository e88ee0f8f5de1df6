import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { credentialFor } from './credential.ts'
import { examine, type Finding, failed, fine, skip, type Verdict, warning } from './finding.ts'
import type { Terminal } from './terminal.ts'

const page = z.object({ notifications: z.array(z.object({ problem: z.string().nullable() })) })
type Page = z.infer<typeof page>

/** Whether notifications are delivered at their time, which those who run it may ask. */
export async function* examineInbox(terminal: Terminal): AsyncGenerator<Finding> {
  if (credentialFor('admin', terminal) === null)
    return yield* skip(['inbox'], 'it is for those who run it: set BELFRY_ADMIN_TOKEN')
  const newest = (state: string) =>
    askAdmin(terminal, `/api/notifications?state=${state}&limit=1`, page)
  yield await examine('inbox', async () =>
    inboxVerdict(await newest('overdue'), await newest('parked')),
  )
}

export function inboxVerdict(overdue: Page, parked: Page): Verdict {
  if (overdue.notifications.length > 0)
    return failed(
      'notifications are late',
      'The feed wakes their inboxes every 5 minutes. If they stay late, read the worker’s log; `belfry notifications list --state overdue` shows which.',
    )
  const [one] = parked.notifications
  if (one)
    return warning(
      `notifications are parked; the newest: ${one.problem ?? 'it does not say why'}`,
      '`belfry notifications list --state parked` shows them, and `belfry notifications redrive --state parked` tries them again.',
    )
  return fine('no notification is late, and none parked')
}
