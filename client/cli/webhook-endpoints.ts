import { z } from 'zod'
import { askAdmin, type How } from './admin.ts'
import { readArguments } from './arguments.ts'
import { UsageError } from './failure.ts'
import { ago } from './status.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'
import {
  type Endpoint,
  endpoint,
  endpointPage,
  registered,
  rotated,
  ruleText,
} from './webhook-report.ts'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { json: 'switch' })
  const found: Endpoint[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = cursor === '' ? '' : `?${new URLSearchParams({ cursor })}`
    const page: z.infer<typeof endpointPage> = await ask(terminal, query, endpointPage)
    found.push(...page.webhooks)
    cursor = page.next_cursor
  }
  if (flags.json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0)
    terminal.err('No webhook is registered: `belfry webhooks add <url> --table orders` adds one.\n')
  else for (const each of found) terminal.out(endpointView(each, Date.now(), terminal.paint))
  return 0
}

export async function add(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(
    args,
    { table: 'texts', op: 'text', when: 'text', description: 'text', json: 'switch' },
    ['the url'],
  )
  const { table: tables = [], op, when, description, json } = flags
  if (tables.length === 0)
    throw new UsageError('--table is missing: which changes shall it hear of?')
  const condition = {
    ...(op !== undefined && { ops: op.split(',').map((each) => each.trim()) }),
    ...(when !== undefined && { when: readWhen(when) }),
  }
  const made = await ask(terminal, '', registered, {
    method: 'POST',
    isCreate: true,
    body: {
      url: words[0],
      rules: tables.map((table) => ({ table, ...condition })),
      ...(description !== undefined && { description }),
    },
  })
  if (json) {
    terminal.out(`${JSON.stringify(made, null, 2)}\n`)
    return 0
  }
  terminal.out(endpointView(made, Date.now(), terminal.paint))
  if (made.secret === undefined) {
    terminal.err(
      `It is registered, but the answer with its secret was lost on the way: \`belfry webhooks rotate ${made.id}\` gives another.\n`,
    )
    return 1
  }
  terminal.out(`  secret  ${made.secret}\n`)
  terminal.err('Give the secret to the receiver now: it is not shown again.\n')
  return 0
}

export async function on(args: readonly string[], terminal: Terminal): Promise<number> {
  const id = readId(args)
  const { health } = await enable(id, true, terminal)
  const parked = health.counts.parked ?? 0
  const next =
    parked === 0 ? '' : ` ${parked} parked: \`belfry webhooks redrive ${id} --yes\` sends them.`
  terminal.err(`It is on.${next}\n`)
  return 0
}

export async function off(args: readonly string[], terminal: Terminal): Promise<number> {
  const id = readId(args)
  await enable(id, false, terminal)
  terminal.err('It is off. What it is owed from now on is parked.\n')
  return 0
}

/** Whatever it is else: this is one switch, and nobody's change of it is lost. */
function enable(id: string, enabled: boolean, terminal: Terminal): Promise<Endpoint> {
  return ask(terminal, `/${id}`, endpoint, {
    method: 'PATCH',
    body: { enabled },
    headers: { 'if-match': '*' },
  })
}

export async function remove(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { yes: 'switch' }, ['the id'])
  const id = checkId(words[0])
  if (!flags.yes)
    throw new UsageError('its secrets and all it is owed go with it; add --yes if you mean it.')
  await ask(terminal, `/${id}`, z.null(), { method: 'DELETE' })
  terminal.err('It is gone.\n')
  return 0
}

export async function rotate(args: readonly string[], terminal: Terminal): Promise<number> {
  const id = readId(args)
  const made = await ask(terminal, `/${id}/rotate-secret`, rotated, { method: 'POST' })
  terminal.out(`${made.secret}\n`)
  terminal.err(
    `Give it to the receiver now: it is not shown again. The one before is good until ${printable(made.previous_secret_until)}.\n`,
  )
  return 0
}

export async function test(args: readonly string[], terminal: Terminal): Promise<number> {
  const id = readId(args)
  const { change } = await ask(terminal, `/${id}/test`, z.object({ change: z.string() }), {
    method: 'POST',
  })
  terminal.err(
    `A test goes out as webhook-id ${printable(change)}: \`belfry webhooks deliveries ${id}\` says what came of it.\n`,
  )
  return 0
}

/** @throws UsageError unless it is the id of an endpoint */
export function checkId(id = ''): string {
  if (ID.test(id)) return id
  throw new UsageError(`"${id}" is no id of a webhook; \`belfry webhooks list\` shows them.`)
}

/** @param path after `/api/webhooks` */
export function ask<T>(terminal: Terminal, path: string, schema: z.ZodType<T>, how: How = {}) {
  return askAdmin(terminal, `/api/webhooks${path}`, schema, how)
}

/** Where it is and how it fares, what it hears of, and what went wrong. */
export function endpointView(
  { id, url, description, rules, health }: Endpoint,
  now: number,
  paint: Terminal['paint'],
): string {
  const counts = Object.entries(health.counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
  return [
    `${paint('bold', printable(id))}  ${stateText(health, paint)}  ${printable(url)}`,
    ...(description === '' ? [] : [`  ${printable(description)}`]),
    ...rules.map((rule) => `  ${printable(ruleText(rule))}`),
    ...(counts.length === 0 ? [] : [`  ${printable(counts.join(', '))}`]),
    ...(health.last_error === null || health.failing_since === null
      ? []
      : [
          `  ${paint('red', `fails for ${ago(now - Date.parse(health.failing_since))}: ${printable(health.last_error)}`)}`,
        ]),
    '',
  ].join('\n')
}

const reasons: Record<string, string> = {
  failing: 'off, after a day of failures',
  gone: 'off, as it said that it is gone',
  by_hand: 'off',
}

function stateText({ state, off_reason: reason }: Endpoint['health'], paint: Terminal['paint']) {
  if (state === 'on') return paint('green', 'on')
  const words = Object.hasOwn(reasons, reason ?? '') ? reasons[reason ?? ''] : 'off'
  return paint(reason === 'by_hand' ? 'dim' : 'red', words ?? 'off')
}

function readId(args: readonly string[]): string {
  return checkId(readArguments(args, {}, ['the id']).words[0])
}

function readWhen(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(
      `--when takes JSON, such as '{"status":{"became":["filled"]}}', not "${text}".`,
    )
  }
}
