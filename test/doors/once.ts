import { got } from './answer.ts'
import { ALL, attacksOf, inParallel, probe, tally } from './attack.ts'
import { type Create, creates, idOf, send } from './creates.ts'
import type { World } from './world.ts'

/** The same once more, at once, by another, or by the hundred. */
const flow = attacksOf('API6', 'flows')

export const once = [
  flow('again', 'Each create twice with one Idempotency-Key', ALL, (world) =>
    everyCreate(world, twice),
  ),
  flow('other-body', 'Each create again with the key and another body', ALL, (world) =>
    everyCreate(world, async (create, key) => {
      await send(world, create.path, create.body(1), key)
      return [
        probe(
          create.path,
          got(await send(world, create.path, create.other(1), key)),
          '422 idempotency_key_reused',
        ),
      ]
    }),
  ),
  flow('at-once', 'Each create twelve times at once with one key', ALL, (world) =>
    everyCreate(world, atOnce),
  ),
  flow('other-path', 'One key at another route', '422 idempotency_key_reused', async (world) => {
    const key = crypto.randomUUID()
    await send(world, '/api/users', { name: 'A key of users' }, key)
    return got(await send(world, '/api/orders', creates[0]?.body(2) ?? {}, key))
  }),
  flow(
    'other-principal',
    'Another’s key, with the same body',
    'an order of their own',
    async (world) => {
      const key = crypto.randomUUID()
      const body = creates[0]?.body(3) ?? {}
      const first = idOf(await send(world, '/api/orders', body, key))
      const as = world.people.credentials['a writer of orders']
      const answer = await world.ask('/api/orders', {
        method: 'POST',
        as,
        body,
        headers: { 'idempotency-key': key },
      })
      return answer.status === 201 && idOf(answer) !== first
        ? 'an order of their own'
        : `${got(answer)} ${answer.text}`
    },
  ),
  flow('keys', 'Idempotency-Keys that are none', ALL, async (world) => {
    const keys = ['', ' ', 'ä', 'x'.repeat(256), 'a b', '\t']
    return tally(
      await inParallel(keys, async (key) => {
        const answer = await send(world, '/api/orders', creates[0]?.body(4) ?? {}, key)
        // An empty header may be taken for one that was left out.
        return probe(
          JSON.stringify(key.slice(0, 10)),
          got(answer),
          key.trim() === '' ? /^(400 invalid_query|201)$/ : '400 invalid_query',
        )
      }),
    )
  }),
  flow('storm', 'Sixty redrives of everything at once', ALL, async (world) => {
    const all = { filter: {}, all: true }
    const tries = Array.from({ length: 60 }, (_, n) =>
      n % 2 ? '/api/emails/redrive' : '/api/notifications/redrive',
    )
    const probes = await inParallel(
      tries,
      async (path) =>
        probe(path, got(await world.order(path, { method: 'POST', body: all })), /^(200|409 \w+)$/),
      60,
    )
    return tally([...probes, probe('the health', got(await world.ask('/healthz')), '200')])
  }),
  flow(
    'unsubscribe',
    'An unsubscription by a mere look, and by a made-up token',
    ALL,
    async (world) => {
      const token = 'A'.repeat(22)
      const probes = [
        probe('GET', got(await world.ask(`/api/unsubscribe/${token}`)), '404'),
        probe(
          'POST',
          got(
            await world.ask(`/api/unsubscribe/${token}`, {
              method: 'POST',
              raw: 'List-Unsubscribe=One-Click',
              headers: { 'content-type': 'application/x-www-form-urlencoded' },
            }),
          ),
          '404',
        ),
        probe('a path', got(await world.ask('/api/unsubscribe/..%2f..%2fusers')), /^404/),
      ]
      return tally(probes)
    },
  ),
]

async function everyCreate(
  world: World,
  act: (create: Create, key: string, world: World) => Promise<ReturnType<typeof probe>[]>,
): Promise<string> {
  const probes = await inParallel(creates, (create) => act(create, crypto.randomUUID(), world), 4)
  return tally(probes.flat())
}

async function twice(create: Create, key: string, world: World) {
  const body = create.body(10)
  const first = await send(world, create.path, body, key)
  const again = await send(world, create.path, body, key)
  const shownAgain = /"(key|secret)":"(belfry_|whsec_)/.test(again.text)
  return [
    probe(`${create.path}, first`, got(first), '201'),
    probe(`${create.path}, again`, got(again), '201'),
    probe(`${create.path}, the same`, idOf(again), idOf(first)),
    probe(
      `${create.path}, a secret`,
      shownAgain ? 'shown again' : 'not shown again',
      'not shown again',
    ),
  ]
}

async function atOnce(create: Create, key: string, world: World) {
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => send(world, create.path, create.body(11), key)),
  )
  const ids = new Set(answers.filter(({ status }) => status === 201).map(idOf))
  return [
    ...answers.map((answer) =>
      probe(create.path, got(answer), /^(201|409 idempotency_in_progress)$/),
    ),
    probe(`${create.path}: how many were made`, String(ids.size), '1'),
  ]
}
