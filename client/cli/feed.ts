import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'

export const feed: Command = {
  name: 'feed',
  summary: 'Begin a new epoch of the feed.',
  forms: ['reset --yes'],
  details: [
    'Forgets the log and which database it came from: the next listener’s is taken. Every',
    'subscriber is told `reset` and reads a snapshot. For when the worker has been given another',
    'database, or the database was restored to an earlier time.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  async run([name, ...rest], terminal) {
    if (name !== 'reset') throw new UsageError('feed: say what to do: reset.')
    const { flags } = readArguments(rest, { yes: 'switch' })
    if (!flags.yes)
      throw new UsageError(
        'this forgets the log, and every subscriber starts over; add --yes if you mean it.',
      )
    const { epoch } = await askAdmin(
      terminal,
      '/api/admin/feed/epoch',
      z.object({ epoch: z.string() }),
      { method: 'POST' },
    )
    terminal.out(`A new epoch has begun: ${epoch}.\n`)
    return 0
  },
}
