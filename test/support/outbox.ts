import type { Database } from '../../listener/database.ts'
import { outgoing } from '../../listener/outgoing.ts'
import { type CapturedChange, capturedChange } from '../../protocol/change.ts'

/**
 * Takes all that is in a database's outbox the way a listener does, and reads it the way the
 * feed does: each change is checked against the protocol's schema.
 */
export async function takeChanges(database: Database): Promise<CapturedChange[]> {
  const taken: CapturedChange[] = []
  for (;;) {
    const { rows } = await database.look()
    if (rows.length === 0) return taken
    for (const { change } of rows)
      taken.push(capturedChange.parse(JSON.parse(outgoing(change).text)))
    await database.forget(rows.map(({ id }) => id))
  }
}
