import type { Change } from '../../protocol/change.ts'
import type { InboxDoor } from '../inbox/door.ts'

/**
 * Inboxes that could not be told of something, and why.
 *
 * Postgres is authoritative on all that an inbox holds. So of what one missed no list is kept, and
 * nobody waits for it: as soon as it can be told again it hears that it missed something, fills
 * itself from Postgres, and looks what is due. Must hold: it is forgotten here only after that.
 * On failure it stays, is warned of, and is tried with its next change, and every minute.
 */
export type Missed = {
  readonly users: ReadonlySet<string>
  note(user: string, why: string): void
  forget(user: string): void
}

/** As much of the binding as is needed here. */
export type Inboxes = { getByName(user: string): Pick<InboxDoor, 'hear' | 'wake'> }

/**
 * Tells one inbox what is its user's, or that it missed something. Never throws.
 * @param epoch of the feed
 */
export async function tellInbox(
  inboxes: Inboxes,
  missed: Missed,
  user: string,
  { changes, epoch, hasMissed }: { changes: Change[]; epoch: string; hasMissed: boolean },
): Promise<void> {
  const told = hasMissed ? [somethingMissed(), ...changes] : changes
  const tell = async () => {
    const inbox = inboxes.getByName(user)
    await inbox.hear(told, epoch)
    if (hasMissed) await inbox.wake()
  }
  try {
    // An object that is moved or deployed anew is there again at once.
    await tell().catch(tell)
    if (hasMissed) missed.forget(user)
  } catch (error) {
    missed.note(user, error instanceof Error ? error.message : String(error))
  }
}

/** Of a table that was emptied an inbox knows nothing any more, and reads it again. */
function somethingMissed(): Change {
  const at = new Date().toISOString()
  const nothing = { key: null, new: null, old: null }
  return {
    offset: 1,
    id: crypto.randomUUID(),
    table: 'notifications',
    op: 'truncate',
    ...nothing,
    at,
  }
}
