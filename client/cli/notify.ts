import { z } from 'zod'
import { askAdmin } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import type { Command } from './command.ts'
import { UsageError } from './failure.ts'
import { readMoment } from './moment.ts'
import type { Terminal } from './terminal.ts'

const outcome = z.object({
  notifications: z.number(),
  delivered: z.number(),
  scheduled: z.number(),
  declined: z.number(),
  ids: z.array(z.number()),
})
type Outcome = z.infer<typeof outcome>

export const notify: Command = {
  name: 'notify',
  summary: 'Tell users something, now or later: one, some or all of them.',
  forms: [
    '--user 3 [--user 4] --title … [--category …] [--at +10m] […] [--json]',
    '--all --title … […]',
  ],
  details: [
    '  --user 3              whom; may be repeated. All are told, or, if one is unknown, none',
    '  --all                 everybody who receives notifications',
    '  --title …             what is told, in a line',
    '  --category orders     what users choose by; general if not given',
    '  --link /orders/42     where it leads',
    "  --content '{…}'       any JSON object, up to 64 kB; - reads it from stdin",
    '  --at 2026-12-24T18:00 when; with an offset (…+01:00), or of this machine. Or +10m: s, m, h, d',
    '  --expires +7d         after it nobody is shown it',
    '  --key …               the same again within 24 hours is the same request, and tells nobody twice',
    'What was scheduled: `belfry notifications list --state scheduled`.',
    'Asks with the token in BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  async run(args, terminal) {
    const { flags } = readArguments(args, {
      user: 'texts',
      all: 'switch',
      title: 'text',
      category: 'text',
      link: 'text',
      content: 'text',
      at: 'text',
      expires: 'text',
      key: 'text',
      json: 'switch',
    })
    const { user = [], all = false, title, category, link, content, at, expires, key, json } = flags
    if (all === user.length > 0)
      throw new UsageError('say whom: --user, which may be repeated, or --all.')
    if (title === undefined) throw new UsageError('--title is missing.')
    if (key !== undefined && [at, expires].some((time) => time?.startsWith('+')))
      throw new UsageError(
        '--key makes one request of two that are the same, and +10m is another time each time: give the time itself.',
      )
    const now = Date.now()
    const told = await askAdmin(terminal, '/api/notifications', outcome, {
      method: 'POST',
      isCreate: true,
      headers: key === undefined ? {} : { 'idempotency-key': readKey(key) },
      body: {
        ...readRecipients(user),
        title,
        ...(category !== undefined && { category }),
        ...(link !== undefined && { link }),
        ...(content !== undefined && { content: await readContent(content, terminal) }),
        ...(at !== undefined && { scheduled_at: readMoment('--at', at, now) }),
        ...(expires !== undefined && { expires_at: readMoment('--expires', expires, now) }),
      },
    })
    if (json) terminal.out(`${JSON.stringify(told, null, 2)}\n`)
    else terminal.err(`${outcomeText(told)}\n`)
    return 0
  },
}

/** Nobody named: everybody. */
function readRecipients(users: readonly string[]): object {
  if (users.length === 0) return { to: 'all' }
  return { user_ids: [...new Set(users.map((user) => wholeNumber('--user', user)))] }
}

/** A header holds no other characters. */
function readKey(key: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new UsageError('--key takes 1 to 255 characters of ASCII without spaces.')
}

async function readContent(text: string, terminal: Terminal): Promise<object> {
  const [given, from] = text === '-' ? [await terminal.readInput(), 'stdin'] : [text, '--content']
  try {
    const content: unknown = JSON.parse(given)
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
  } catch {
    // Told below, as for JSON that is no object.
  }
  throw new UsageError(`${from} must be a JSON object, such as '{"order": 42}'.`)
}

const MOST_IDS = 10

/** `3 notifications: 2 delivered, 1 scheduled (ids 5, 6, 7).` */
export function outcomeText({ notifications, ids, ...counts }: Outcome): string {
  if (notifications === 0) return 'Nobody is told: no user receives notifications.'
  const states = Object.entries(counts).filter(([, count]) => count > 0)
  const said = states.map(([state, count]) => `${count} ${state}`).join(', ')
  const more = notifications > MOST_IDS ? ', …' : ''
  const which = `${ids.length === 1 ? 'id' : 'ids'} ${ids.slice(0, MOST_IDS).join(', ')}${more}`
  const why = counts.declined > 0 ? ' `belfry notifications show <id>` says why one declined.' : ''
  return `${notifications} ${notifications === 1 ? 'notification' : 'notifications'}: ${said} (${which}).${why}`
}
