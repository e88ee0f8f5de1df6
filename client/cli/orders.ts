import { z } from 'zod'
import { type Actions, act } from './actions.ts'
import { askFor } from './admin.ts'
import { readArguments, wholeNumber } from './arguments.ts'
import { valueText } from './change-line.ts'
import type { Command } from './command.ts'
import { update as change, conditionFlags, deleteHeaders } from './condition.ts'
import { UsageError } from './failure.ts'
import { life } from './order-life.ts'
import { listPages, pageFlags } from './pages.ts'
import { type Column, tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'

const order = z.object({
  id: z.number(),
  customer_name: z.string(),
  product_name: z.string(),
  status: z.string(),
  amount: z.number(),
  customer_email: z.string().nullable(),
  /** A worker of an earlier version does not say. */
  customer_id: z.number().nullable().default(null),
  version: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
})
type Order = z.infer<typeof order>

const page = z.object({ orders: z.array(order), next_cursor: z.string().nullable() })

const PAGE_LIMIT = 200

const fields = {
  customer: 'text',
  product: 'text',
  amount: 'text',
  status: 'text',
  email: 'text',
  user: 'text',
} as const

const actions: Actions = { list, get, create, update, delete: remove, life }

export const orders: Command = {
  name: 'orders',
  summary: 'Read and write orders through the API.',
  forms: [
    'list [--status filled,shipped] [--customer ada] [--sort -created_at] [--limit N] [--all] [--json]',
    'get <id> [--json]',
    'create --customer … --product … --amount … [--status …] [--email …] [--user 3] [--json]',
    'update <id> [--customer …] [--product …] [--amount …] [--status …] [--email …] [--user 3] [--if-version 4 | --force] [--json]',
    'delete <id> [--if-version 4]',
    'life <id> [--json]',
  ],
  details: [
    'Sorts: id, created_at, updated_at, amount, customer_name; with a dash, the greatest first.',
    '--user says whose it is: that user hears of it, and sees it in their own feed.',
    "`--email ''` takes the address away, and `--user ''` the user.",
    'An update changes the version that was read just before; --if-version the one that you have',
    'seen, and --force whatever is there. One that somebody else has changed meanwhile is left as it',
    'is. `life` tells of each version who made it, who was told of it, and by which mail.',
    'Asks with the token or API key in BELFRY_TOKEN (scopes orders:read, orders:write; life: admin),',
    'with BELFRY_ADMIN_TOKEN, or the local run’s own.',
  ].join('\n'),

  run: (args, terminal) => act('orders', actions, args, terminal),
}

async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, {
    status: 'text',
    customer: 'text',
    sort: 'text',
    ...pageFlags,
    json: 'switch',
  })
  const { status, customer, sort, json } = flags
  await listPages(
    {
      flags,
      most: PAGE_LIMIT,
      filter: { status, customer, sort },
      async read(query) {
        const path = `/api/orders?${query}`
        const { orders, next_cursor } = await askFor('orders:read', terminal, path, page)
        return { found: orders, next: next_cursor }
      },
      show(found) {
        if (json) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
        else show(found, terminal)
      },
    },
    terminal,
  )
  return 0
}

async function get(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the id'])
  const address = path(words)
  const read = await askFor('orders:read', terminal, address, order)
  return showOne(read, flags.json, terminal)
}

async function create(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { ...fields, json: 'switch' })
  for (const name of ['customer', 'product', 'amount'] as const)
    if (flags[name] === undefined) throw new UsageError(`--${name} is missing.`)
  const created = await askFor('orders:write', terminal, '/api/orders', order, {
    method: 'POST',
    body: bodyOf(flags),
    isCreate: true,
  })
  return showOne(created, flags.json, terminal)
}

async function update(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { ...fields, ...conditionFlags, json: 'switch' }, [
    'the id',
  ])
  const [address, body] = [path(words), bodyOf(flags)]
  if (Object.keys(body).length === 0)
    throw new UsageError(`say what to change: --${Object.keys(fields).join(', --')}.`)
  const needs = { read: 'orders:read', change: 'orders:write' }
  const what = {
    needs,
    path: address,
    body,
    condition: flags,
    look: `belfry orders get ${words[0]}`,
  }
  const updated = await change(what, order, terminal)
  return showOne(updated, flags.json, terminal)
}

async function remove(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { 'if-version': 'text' }, ['the id'])
  await askFor('orders:write', terminal, path(words), z.null(), {
    method: 'DELETE',
    headers: deleteHeaders(flags['if-version']),
  })
  terminal.err(`Order ${words[0]} is deleted.\n`)
  return 0
}

function path([id = '']: readonly string[]): string {
  return `/api/orders/${wholeNumber('the id', id)}`
}

/** As the API calls them. The amount stays text: it takes one, and no digit is lost. */
function bodyOf(given: { [N in keyof typeof fields]?: string }) {
  const { customer, product, amount, status, email, user } = given
  return {
    ...(customer !== undefined && { customer_name: customer }),
    ...(product !== undefined && { product_name: product }),
    ...(amount !== undefined && { amount }),
    ...(status !== undefined && { status }),
    ...(email !== undefined && { customer_email: email === '' ? null : email }),
    ...(user !== undefined && {
      customer_id: user === '' ? null : wholeNumber('--user', user),
    }),
  }
}

function showOne(order: Order, json: true | undefined, terminal: Terminal): number {
  if (json) terminal.out(`${JSON.stringify(order, null, 2)}\n`)
  else show([order], terminal)
  return 0
}

const columns: Column[] = [
  { title: 'id', side: 'right' },
  { title: 'customer' },
  { title: 'product' },
  { title: 'status' },
  { title: 'amount', side: 'right' },
  { title: 'e-mail' },
  { title: 'user', side: 'right' },
  { title: 'version', side: 'right' },
  { title: 'updated (UTC)' },
]

function show(found: readonly Order[], terminal: Terminal): void {
  if (found.length === 0) {
    terminal.err('No order is like that.\n')
    return
  }
  const rows = found.map((order) => [
    String(order.id),
    order.customer_name,
    order.product_name,
    order.status,
    order.amount.toFixed(2),
    order.customer_email ?? '',
    String(order.customer_id ?? ''),
    String(order.version),
    valueText(order.updated_at),
  ])
  terminal.out(tableView(columns, rows, terminal.paint))
}
