import { got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { creates, made } from './creates.ts'
import type { World } from './world.ts'

/** Changes of what has changed since it was read, or was never read. */
const flow = attacksOf('API6', 'versions')

export const versions = [
  flow('no-version', 'Every update without If-Match', ALL, async (world) =>
    everyUpdate(world, undefined, '428 precondition_required'),
  ),
  flow('stale', 'Every update with an If-Match that is stale or made up', ALL, async (world) =>
    everyUpdate(world, '"999999"', '412 precondition_failed'),
  ),
  flow('weak', 'If-Match that is malformed, weak or of another form', ALL, async (world) => {
    const order = await made(world, '/api/orders', creates[0]?.body(5) ?? {})
    const tags = [
      '1',
      'W/"99"',
      '"1',
      '""',
      '"1; DROP"',
      "'1'",
      '!',
      '"-1"',
      '"1e0"',
      '"9223372036854775808"',
      '"\u00e4"',
    ]
    return tally(
      await inParallel(tags, async (tag) => {
        const body = { status: 'shipped' }
        const answer = await world.order(order, {
          method: 'PATCH',
          body,
          headers: { 'if-match': tag },
        })
        return probe(tag, got(answer), /^(412 precondition_failed|400 invalid_query)$/)
      }),
    )
  }),
  flow(
    'two-writers',
    'Twenty writers at once with the same version',
    '1 wrote, 19 were told that it has changed',
    async (world) => {
      const order = await made(world, '/api/orders', creates[0]?.body(6) ?? {})
      const tag = (await world.order(order)).headers.get('etag') ?? ''
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          world.order(order, {
            method: 'PATCH',
            body: { amount: n + 2 },
            headers: { 'if-match': tag },
          }),
        ),
      )
      const wrote = answers.filter(({ status }) => status === 200).length
      const told = answers.filter(({ code }) => code === 'precondition_failed').length
      return `${wrote} wrote, ${told} were told that it has changed`
    },
  ),
]

/** Nothing of what is there is changed by either. */
async function everyUpdate(world: World, tag: string | undefined, wanted: string): Promise<string> {
  const n = tag === undefined ? 20 : 21
  const bodies: Readonly<Record<string, object>> = {
    '/api/orders': { status: 'shipped' },
    '/api/users': { name: 'Changed' },
    '/api/notifications': { title: 'Changed' },
    '/api/mail-rules': { ops: ['update'] },
    '/api/notification-rules': { enabled: false },
    '/api/webhooks': { description: 'changed' },
  }
  const headers = tag === undefined ? {} : { 'if-match': tag }
  const updates = creates.filter(({ path }) => path in bodies)
  const probes = await inParallel(updates, async ({ path, body }) => {
    const at = await made(world, path, body(n))
    return probe(
      `PATCH ${path}`,
      got(await world.order(at, { method: 'PATCH', body: bodies[path] ?? {}, headers })),
      wanted,
    )
  })
  const order = await made(world, '/api/orders', creates[0]?.body(n) ?? {})
  const whole = { ...creates[0]?.body(n), status: 'shipped' }
  const put = await world.order(order, { method: 'PUT', body: whole, headers })
  const preferences = await world.ask('/api/me/preferences', {
    ...{
      method: 'PATCH',
      as: world.people.ada.token,
      body: { time_zone: 'Europe/Berlin' },
      headers,
    },
  })
  return tally([
    ...probes,
    probe('PUT /api/orders', got(put), wanted),
    probe('PATCH /api/me/preferences', got(preferences), wanted),
  ])
}
