import { signInAddress } from './address.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { signIn } from './user-token.ts'

export const token: Command = {
  name: 'token',
  summary: 'Print a token of the local run, to ask its worker with.',
  forms: ['[--scopes orders:read,orders:write] [--json]', '--user 3 [--json]'],
  details: [
    'One that may do everything; with --scopes only that; with --user that user’s own, which opens',
    'their inbox and orders. It is good for an hour, a user’s for twelve:',
    '  curl -H "Authorization: Bearer $(npm run -s belfry -- token)" http://127.0.0.1:8787/api/orders',
    'Elsewhere your own login gives tokens, and `belfry keys create` API keys.',
  ].join('\n'),

  async run(args, terminal) {
    const { flags } = readArguments(args, { scopes: 'text', user: 'text', json: 'switch' })
    const { scopes, user, json } = flags
    if (scopes !== undefined && user !== undefined)
      throw new UsageError('a user’s token has no scopes here: give --scopes or --user.')
    const address = signInAddress(terminal)
    if (address === null)
      throw new UsageError(
        'only a local run gives out tokens: start one with `npm start`. Elsewhere your login does, or `belfry keys create`.',
      )
    const given = await signIn(address, user === undefined ? staffPath(scopes) : userPath(user))
    terminal.out(json ? `${JSON.stringify(given, null, 2)}\n` : `${given.token}\n`)
    return 0
  },
}

function userPath(user: string): string {
  return `/token?user=${wholeNumber('--user', user)}`
}

function staffPath(scopes: string | undefined): string {
  if (scopes === undefined) return '/staff'
  const list = scopes.split(/[\s,]+/).filter((scope) => scope !== '')
  if (list.length === 0) throw new UsageError('--scopes is empty: say orders:read, for example.')
  return `/staff?${new URLSearchParams({ scope: list.join(' ') })}`
}
