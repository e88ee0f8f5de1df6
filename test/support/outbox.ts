import type { Database } from '../../listener/database.ts'
import { type CapturedChange, capturedChange } from '../../protocol/change.ts'

/**
 * Takes all that is in a database's outbox the way a listener does, and reads it the way the
 * feed does: each change is checked against the protocol's schema.
 */
export async function takeChanges(database: Database): Promise<CapturedChange[]> {
  const taken: CapturedChange[] = []
  for (;;) {
    const { owed } = await database.look([])
    if (owed.length === 0) return taken
    for (const { text } of owed) taken.push(capturedChange.parse(JSON.parse(text)))
    await database.forget(owed.map(({ id }) => id))
  }
}
