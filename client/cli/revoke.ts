import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments } from './arguments.ts'
import { valueText } from './change-line.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { revokeKey } from './keys.ts'
import { printable } from './text-width.ts'

const revocation = z.object({
  principal: z.string(),
  since: z.string(),
  reason: z.string().nullable(),
})

export const revoke: Command = {
  name: 'revoke',
  summary: 'Sign a user or a token’s owner out, or end an API key.',
  forms: ['<user:42 | token:sub | key:7> [--reason …] [--json]'],
  details: [
    'Of a user and of a token’s sub, what was issued until now is good no more; who signs in again',
    'comes in again. A key has no way back. Either way it opens nothing any more within 10 s, and its',
    'sockets are closed. `belfry audit` shows who is who.',
    'Asks with the token in BELFRY_ADMIN_TOKEN or BELFRY_TOKEN (scope admin), or the local run’s own.',
  ].join('\n'),

  async run(args, terminal) {
    const { flags, words } = readArguments(args, { reason: 'text', json: 'switch' }, [
      'who (user:42, token:<sub> or key:7)',
    ])
    const [principal = ''] = words
    const [, id] = /^key:([1-9]\d{0,14})$/.exec(principal) ?? []
    if (id !== undefined) {
      if (flags.reason !== undefined)
        throw new UsageError('--reason is for users and tokens: leave it out for a key.')
      return revokeKey(Number(id), terminal)
    }
    if (!/^(user:[1-9]\d{0,18}|token:.{1,255})$/su.test(principal))
      throw new UsageError(
        `"${printable(principal)}" is nobody who can be revoked: say user:42, token:<sub> or key:7.`,
      )
    const { reason } = flags
    const made = await askAdmin(terminal, '/api/revocations', revocation, {
      method: 'POST',
      body: { principal, ...(reason !== undefined && { reason }) },
    })
    if (flags.json) terminal.out(`${JSON.stringify(made, null, 2)}\n`)
    else
      terminal.err(
        `${printable(made.principal)} is signed out: what was issued until ${printable(valueText(made.since))} UTC opens nothing any more within 10 s.\n`,
      )
    return 0
  },
}
