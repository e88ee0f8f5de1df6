import type { Change } from '../../protocol/change.ts'
import type { System } from './system.ts'

type Page = { epoch: string; head: number; through: number; changes: Change[] }

/** The whole log, page by page, past every wire. */
export async function* readLog(system: System): AsyncGenerator<Change[]> {
  for (let after = 0; ; ) {
    const page = await system.ask<Page>(`/api/changes?after=${after}&limit=1000`)
    if (page.changes.length > 0) yield page.changes
    if (page.through >= page.head) return
    after = page.through
  }
}

/** @returns null while workerd is down */
export async function feedHead(system: System): Promise<number | null> {
  try {
    return (await system.ask<{ head: number }>('/api/status')).head
  } catch {
    return null
  }
}
