import { setTimeout as delay } from 'node:timers/promises'
import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { ALLOWED_ORIGIN, secrets } from './settings.ts'
import { Socket } from './sockets.ts'
import type { World } from './world.ts'

/** Tickets that are not good, and what stands in addresses in their place. */
const CUT = 'closed 4401'
const TICKET_MS = 30_000

export const FEED = '/api/changes/ws'
export const INBOX = '/api/me/notifications/ws'
export const ORDERS = '/api/me/orders/ws'
export const MAILS = '/api/emails/live'

export const tickets: readonly Attack[] = [
  ticketAttack('good', 'A good ticket, for comparison', 'open', async (world) =>
    knock(world, FEED, await changesTicket(world)),
  ),
  ticketAttack('twice', 'A ticket that was used', `open, then ${CUT}`, async (world) => {
    const ticket = await changesTicket(world)
    const first = await knock(world, FEED, ticket)
    return `${first}, then ${await knock(world, FEED, ticket)}`
  }),
  ticketAttack('at-once', 'One ticket shown ten times at once', 'open ×1', async (world) => {
    const ticket = await changesTicket(world)
    const fates = await Promise.all(Array.from({ length: 10 }, () => knock(world, FEED, ticket)))
    return `open ×${fates.filter((fate) => fate === 'open').length}`
  }),
  ticketAttack('topics', 'A ticket of each topic at the sockets of the others', ALL, otherTopics),
  ticketAttack(
    'spent-elsewhere',
    'A ticket that was shown at the wrong door',
    CUT,
    async (world) => {
      const ticket = await myTicket(world, 'notifications')
      await knock(world, ORDERS, ticket)
      return knock(world, INBOX, ticket)
    },
  ),
  ticketAttack('forged', 'Tickets altered, cut off, and of another door', ALL, forged),
  ticketAttack('token', 'A good token in place of a ticket', ALL, async (world) => {
    const { ada, credentials } = world.people
    const tries: [string, string, string | null][] = [
      ...['ticket', 'token', 'access_token'].flatMap((name): [string, string, string | null][] => [
        [INBOX, name, ada.token],
        [FEED, name, credentials['an admin']],
        [FEED, name, secrets.ADMIN_TOKEN],
      ]),
    ]
    return tally(
      await inParallel(tries, async ([path, name, text]) =>
        probe(
          `${path}?${name}=`,
          await fateOf(world, `${path}?${name}=${text}`),
          /^closed 440[01]$/,
        ),
      ),
    )
  }),
  {
    ...ticketAttack('late', 'A ticket shown after 31 s', CUT, async (world) => {
      const ticket = await changesTicket(world)
      await delay(TICKET_MS + 1_000)
      return knock(world, FEED, ticket)
    }),
    early: true,
  },
  ticketAttack(
    'origin',
    'A good ticket from a page elsewhere',
    `closed 4403, and it is not spent: open`,
    async (world) => {
      const ticket = await changesTicket(world)
      const there = await fateOf(world, `${FEED}?ticket=${ticket}`, { origin: 'https://evil.test' })
      return `${there}, and it is not spent: ${await fateOf(world, `${FEED}?ticket=${ticket}`, { origin: ALLOWED_ORIGIN })}`
    },
  ),
  ticketAttack(
    'origins',
    'Sockets of pages whose origin only looks like ours',
    ALL,
    async (world) => {
      const looks = [
        ...['null', 'https://shop.test.evil.test', 'https://evilshop.test', 'http://shop.test'],
        ...['https://shop.test:8443', 'https://SHOP.TEST.', 'https://sub.shop.test', 'file://'],
        ...['https://shop.test, https://evil.test', '*', 'https://shop.test/'],
      ]
      return tally(
        await inParallel(looks, async (origin) => {
          const path = `${FEED}?ticket=${await changesTicket(world)}`
          return probe(origin, await fateOf(world, path, { origin }), 'closed 4403')
        }),
      )
    },
  ),
  ticketAttack('who', 'Tickets asked for by whoever may not hear the topic', ALL, async (world) => {
    const { credentials } = world.people
    const tries = [
      ['/api/tickets', 'changes', 'anyone', '401 unauthorized'],
      ['/api/tickets', 'changes', 'a writer of orders', '403 forbidden'],
      ['/api/tickets', 'changes', 'a user', '403 forbidden'],
      ['/api/tickets', 'mails', 'a reader of all', '403 forbidden'],
      ['/api/tickets', 'notifications', 'the operator', '400 invalid_body'],
      ['/api/me/tickets', 'notifications', 'the operator', '403 forbidden'],
      ['/api/me/tickets', 'changes', 'a user', '400 invalid_body'],
      ['/api/me/tickets', 'orders', 'an admin key', '403 forbidden'],
    ] as const
    return tally(
      await inParallel([...tries], async ([path, topic, kind, wanted]) =>
        probe(
          `${kind} at ${path} for ${topic}`,
          got(await world.ask(path, { method: 'POST', as: credentials[kind], body: { topic } })),
          wanted,
        ),
      ),
    )
  }),
]

export async function changesTicket(
  world: World,
  as: string = secrets.ADMIN_TOKEN,
): Promise<string> {
  return ticketFrom(world, '/api/tickets', 'changes', as)
}

export function myTicket(world: World, topic: 'notifications' | 'orders'): Promise<string> {
  return ticketFrom(world, '/api/me/tickets', topic, world.people.ada.token)
}

export async function fateOf(
  world: World,
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const socket = new Socket(world.url + path, headers)
  const fate = await socket.fate()
  socket.abandon()
  return fate
}

function ticketAttack(
  id: string,
  what: string,
  expected: string | RegExp,
  how: Attack['how'],
): Attack {
  return { id: `tickets.${id}`, owasp: 'API2', what, expected, how }
}

function knock(world: World, path: string, ticket: string): Promise<string> {
  return fateOf(world, `${path}?ticket=${encodeURIComponent(ticket)}`)
}

async function ticketFrom(world: World, path: string, topic: string, as: string): Promise<string> {
  const answer = await world.ask(path, { method: 'POST', as, body: { topic } })
  const { ticket } = (answer.json ?? {}) as { ticket?: string }
  if (ticket === undefined) throw new Error(`no ticket for ${topic}: ${got(answer)} ${answer.text}`)
  return ticket
}

async function otherTopics(world: World): Promise<string> {
  const operator = secrets.ADMIN_TOKEN
  const given: [string, () => Promise<string>][] = [
    [FEED, () => changesTicket(world)],
    [MAILS, () => ticketFrom(world, '/api/tickets', 'mails', operator)],
    [INBOX, () => myTicket(world, 'notifications')],
    [ORDERS, () => myTicket(world, 'orders')],
  ]
  const pairs = given.flatMap(([own, ask]) =>
    given.filter(([path]) => path !== own).map(([path]) => ({ own, ask, path })),
  )
  return tally(
    await inParallel(pairs, async ({ own, ask, path }) =>
      probe(`of ${own} at ${path}`, await knock(world, path, await ask()), CUT),
    ),
  )
}

async function forged(world: World): Promise<string> {
  const good = await changesTicket(world)
  const [door = '', rest = ''] = good.split('.')
  const last = good.at(-2) === 'A' ? 'B' : 'A'
  const altered = [
    good.slice(0, -2) + last + good.at(-1),
    good.slice(0, -1),
    `${(Number(door) + 1) % 16}.${rest}`,
    `99.${rest}`,
    `-1.${rest}`,
    rest,
    `${door}.${'A'.repeat(rest.length)}`,
    `${world.people.ada.id}.${'A'.repeat(54)}`,
    '',
    '.',
    `${good}${good}`,
    'x'.repeat(5_000),
    '%00',
    "' OR 1=1",
  ]
  return tally(
    await inParallel(altered, async (ticket) =>
      probe(ticket.slice(0, 20), await knock(world, FEED, ticket), /^closed 440[01]$/),
    ),
  )
}
