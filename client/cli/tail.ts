import { type Operation, operations } from '../../protocol/change.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import { formatPosition, type Position } from '../../protocol/position.ts'
import type { Start } from '../../protocol/subscription.ts'
import { type Connection, type ConnectionState, connect, describe } from '../sdk/belfry.ts'
import type { ConnectOptions } from '../sdk/connect.ts'
import { workerAddress } from './address.ts'
import { type Given, readArguments, wholeNumber } from './arguments.ts'
import { changeLine } from './change-line.ts'
import type { Command } from './command.ts'
import { adminCredential, type Credential, credentialFor, sentHint } from './credential.ts'
import { Failure, UsageError } from './failure.ts'
import { meant } from './nearest.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

const flags = {
  after: 'text',
  epoch: 'text',
  op: 'texts',
  where: 'texts',
  json: 'switch',
} as const

export const tail: Command = {
  name: 'tail',
  summary: 'Follow changes as they happen, across every break.',
  forms: ['[table] [--after N] [--epoch E] [--op insert,update] [--where column=value] [--json]'],
  details: [
    '  --after N             everything after this offset; without it, from now on',
    '  --epoch E             the epoch that the offset belongs to; Ctrl-C tells both',
    '  --op insert,update    only these operations',
    '  --where column=value  only rows with this value, before or after; may be repeated',
    '  --json                one change a line on stdout, and nothing else there',
    'Asks with the token or API key in BELFRY_TOKEN, which reads the tables that its scopes name; or',
    'as who runs it, with BELFRY_ADMIN_TOKEN or the local run’s own. Tables of Belfry’s own (users,',
    'preferences, notifications, rules, webhook_endpoints, revocations) are told to the latter alone,',
    'and only when they are named.',
  ].join('\n'),

  async run(args, terminal) {
    const { flags: given, words } = readArguments(args, flags, ['[table]'])
    const [table] = words
    const wanted = {
      ...(table !== undefined && { table }),
      ...(given.op && { ops: readOperations(given.op) }),
      filter: readFilter(given.where ?? []),
      position: readStart(given),
    }
    const as = credentialOf(table, terminal)
    const options = { ...wanted, url: workerAddress(terminal), ...(as && { token: as.token }) }
    return follow(options, as, given.json === true, terminal)
  },
}

/** @throws Failure if it is for those who run Belfry, and nobody is known who does */
function credentialOf(table: string | undefined, terminal: Terminal): Credential | null {
  if (table !== undefined && ownTables.has(table)) return adminCredential(terminal)
  return credentialFor(`${table ?? '*'}:read`, terminal)
}

/** @returns once interrupted; @throws Failure once the server has said no for good */
function follow(
  options: ConnectOptions,
  as: Credential | null,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const stopListening = terminal.onInterrupt(() => {
    connection.close()
    sayPosition(connection.position, terminal)
    resolve(0)
  })
  const connection: Connection = connect({
    ...options,
    onChange(change) {
      if (options.table === undefined && ownTables.has(change.table)) return
      terminal.out(
        json
          ? `${JSON.stringify(change)}\n`
          : `${changeLine(change, terminal.width(), terminal.paint)}\n`,
      )
    },
    onReset(reason, position) {
      const meaning = resetMeanings[reason]
      note(terminal, 'yellow', `reset: ${meaning}; going on from ${formatPosition(position)}`)
    },
    onState(state) {
      if (state.state === 'closed' && state.reason.kind === 'refused') {
        stopListening()
        const isDoor = state.reason.name === 'unauthorized'
        const hint = isDoor ? sentHint(`${options.table ?? '*'}:read`, as) : ''
        reject(new Failure(`${refusal(describe(state.reason))}${hint}`))
      } else sayState(state, options.url, terminal, () => connection.position)
    },
  })
  return promise
}

/** What the server says may be a sentence already. */
function refusal(reason: string): string {
  return `The worker refused: ${printable(reason).replace(/[.]$/, '')}.`
}

const resetMeanings = {
  epoch: 'the feed began a new life, and what lies between cannot be served',
  pruned: 'the log does not reach back that far, and what lies between cannot be served',
  ahead: 'the feed has not come that far',
} as const

function sayState(
  state: ConnectionState,
  url: string,
  terminal: Terminal,
  position: () => Position | null,
) {
  if (state.state === 'connecting' && state.attempt === 1)
    note(terminal, 'dim', `connecting to ${url}`)
  if (state.state === 'live') {
    const at = position()
    note(terminal, 'green', `live${at ? ` after ${formatPosition(at)}` : ''}`)
  }
  if (state.state === 'waiting') {
    const seconds = (state.retryInMs / 1000).toFixed(1)
    note(terminal, 'yellow', `${printable(describe(state.reason))}; again in ${seconds} s`)
  }
}

function sayPosition(position: Position | null, terminal: Terminal) {
  if (position === null) return
  const { epoch, offset } = position
  note(terminal, 'dim', `resume with --after ${offset} --epoch ${epoch}`)
}

function note(terminal: Terminal, colour: 'dim' | 'green' | 'yellow', text: string) {
  terminal.err(`${terminal.paintErr(colour, `· ${text}`)}\n`)
}

function readStart({ after, epoch }: Given<typeof flags>['flags']): Start {
  if (epoch !== undefined && after === undefined)
    throw new UsageError('--epoch says what --after belongs to: give both.')
  return after === undefined
    ? null
    : { epoch: epoch ?? null, offset: wholeNumber('--after', after) }
}

function readOperations(texts: readonly string[]): Operation[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const operation = operations.find((operation) => operation === text)
      if (operation) return operation
      const all = operations.join(', ')
      throw new UsageError(`"${text}" is no operation${meant(text, operations)}; there are ${all}.`)
    })
}

function readFilter(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text) => {
    const [column = '', ...value] = text.split('=')
    if (column === '' || value.length === 0)
      throw new UsageError(`--where takes column=value, not "${text}".`)
    return [column, value.join('=')] as const
  })
  const twice = pairs.find(([column], place) => pairs.findIndex(([c]) => c === column) < place)
  if (twice) throw new UsageError(`--where ${twice[0]} was given twice; give it once.`)
  return Object.fromEntries(pairs)
}
