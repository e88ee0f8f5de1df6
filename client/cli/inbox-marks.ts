import { z } from 'zod'
import { counts, type Mark, marks, notification } from '../../protocol/notification.ts'
import { workerAddress } from './address.ts'
import { type Call, call } from './api.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { UsageError } from './failure.ts'
import { countsText } from './inbox-view.ts'
import { meant } from './nearest.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'
import { userCredential } from './user-token.ts'

/** What one request takes. */
const MOST_IDS = 100

/** Marks the notifications that are named, or takes the mark back. */
export function markAs(mark: Mark, undo: boolean) {
  return async (args: readonly string[], terminal: Terminal): Promise<number> => {
    const { flags, words } = readArguments(args, { user: 'text' }, ['the id…'])
    const ids = [...new Set(words.map((word) => wholeNumber('the id', word)))]
    const ask = await asker(flags.user, terminal)
    const marked = z.object({ notifications: z.array(notification), counts })
    const found = new Set<number>()
    let standing: z.infer<typeof counts> | null = null
    for (let from = 0; from < ids.length; from += MOST_IDS) {
      const body = { ids: ids.slice(from, from + MOST_IDS), mark, ...(undo && { undo }) }
      const answer = await ask('/mark', marked, { body })
      for (const { id } of answer.notifications) found.add(id)
      standing = answer.counts
    }
    const missing = ids.filter((id) => !found.has(id))
    if (standing) terminal.err(`In the inbox: ${countsText(standing)}.\n`)
    if (missing.length === 0) return 0
    terminal.err(
      `${terminal.paintErr('red', '✗')} Not in this inbox: ${missing.join(', ')}. \`belfry inbox list --listing all\` shows what is.\n`,
    )
    return 1
  }
}

/** What opening the list does: nothing of it is new any more. */
export async function open(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { user: 'text' })
  const ask = await asker(flags.user, terminal)
  const answer = await ask('/open', z.object({ counts }))
  terminal.err(`Opened: ${countsText(answer.counts)}.\n`)
  return 0
}

export async function markAll(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { user: 'text', undo: 'switch', before: 'text' }, [
    'the mark',
  ])
  const { user, undo, before } = flags
  const mark = readMark(words[0] ?? '')
  if (before !== undefined && !undo)
    throw new UsageError('--before is what an answer said for --undo: give both.')
  const ask = await asker(user, terminal)
  if (undo) {
    const body = { mark, before: before ?? null }
    const answer = await ask('/mark-all/undo', z.object({ counts }), { body })
    terminal.err(`Taken back: ${countsText(answer.counts)}.\n`)
    return 0
  }
  const marked = z.object({ counts, before: z.string().nullable() })
  const answer = await ask('/mark-all', marked, { body: { mark } })
  const whose = user === undefined ? '' : ` --user ${user}`
  const since = answer.before === null ? '' : ` --before ${printable(answer.before)}`
  terminal.err(
    `All are ${mark}: ${countsText(answer.counts)}. Take it back: belfry inbox mark-all ${mark}${whose} --undo${since}\n`,
  )
  return 0
}

function readMark(text: string): Mark {
  const mark = marks.find((mark) => mark === text)
  if (mark) return mark
  throw new UsageError(`"${text}" is no mark${meant(text, marks)}; there are ${marks.join(', ')}.`)
}

async function asker(user: string | undefined, terminal: Terminal) {
  const as = await userCredential(user, terminal)
  const base = workerAddress(terminal)
  return <T>(path: string, schema: z.ZodType<T>, how: Pick<Call, 'body'> = {}) =>
    call(base, `/api/me/notifications${path}`, schema, {
      method: 'POST',
      as,
      needs: 'user',
      ...how,
    })
}
