import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { startAfresh } from './link.ts'
import { MeInboxWorld } from './me-inbox-world.ts'
import { worker } from './subscriber.ts'

/** The user has never heard of any category but `general` and, critical, `security`. */
let world: MeInboxWorld

beforeAll(() => worker.fetch('http://belfry.test/openapi.json'))
beforeEach(() => {
  world = new MeInboxWorld()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(startAfresh)

const path = '/api/me/preferences'
const change = (body: unknown) => world.json('PATCH', path, body)

it('P85 lists the wishes, and each category with its channels', async () => {
  expect(await world.json('GET', path)).toEqual({
    status: 200,
    can_receive_notifications: true,
    time_zone: 'UTC',
    quiet_hours: null,
    digest: 'off',
    digest_at: '08:00',
    categories: {
      general: { inbox: true, mail: true, webhook: false, critical: false },
      security: { inbox: true, mail: true, webhook: true, critical: true },
    },
  })
})

it('P85 writes what is given and nothing else, in one transaction', async () => {
  const answer = await change({
    quiet_hours: { from: '22:00', to: '07:00' },
    digest: 'daily',
    categories: { general: { mail: false, inbox: true }, security: { mail: true } },
  })
  expect(answer).toMatchObject({ status: 200, categories: { general: { critical: false } } })
  expect(world.written).toEqual(
    [
      ['22:00', '07:00', 'daily', world.name].toSorted(),
      [
        ...[world.name, 'general', 'inbox', 'true'],
        ...[world.name, 'general', 'mail', 'false'],
        ...[world.name, 'security', 'mail', 'true'],
      ],
    ].map((params, index) => (index === 0 ? expect.arrayContaining(params) : params)),
  )
})

it('P85 what is critical cannot be switched off, and nothing else of the request is written', async () => {
  const refused = await change({
    digest: 'daily',
    categories: { general: { mail: false }, security: { inbox: true, webhook: false } },
  })
  expect(refused).toMatchObject({
    status: 400,
    code: 'invalid_body',
    errors: [
      { path: 'categories.security.webhook', message: 'is critical and cannot be switched off' },
    ],
  })
  expect(world.written).toEqual([])
})

it.each([
  [{}, 'at least one field'],
  [{ categories: { genral: { mail: false } } }, 'is none that there is: general, security'],
  [{ categories: { ['x'.repeat(65)]: { mail: false } } }, ''],
  [{ categories: { '': { mail: false } } }, ''],
  [{ categories: { '\0': { mail: false } } }, 'is none that there is'],
  [{ categories: { constructor: { mail: false } } }, 'is none that there is'],
  [{ categories: { general: { sms: true } } }, 'is not known'],
  [{ categories: { general: { mail: 'no' } } }, 'true or false'],
  [{ categories: { general: { critical: true } } }, 'is not known'],
  [
    { categories: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`c${n}`, {}])) },
    'at most 100',
  ],
  [{ time_zone: 'Mars/Olympus' }, 'time zone'],
  [{ time_zone: "UTC'; DROP TABLE users; --" }, 'time zone'],
  [{ quiet_hours: { from: '22:00' } }, ''],
  [{ quiet_hours: { from: '25:00', to: '07:00' } }, 'time of day'],
  [{ digest: 'weekly' }, 'must be one of'],
  [{ digest_at: '8' }, 'time of day'],
  [{ can_receive_notifications: null }, 'true or false'],
  [{ last_opened_at: null }, 'is not known'],
  [{ all_read_at: null }, 'is not known'],
  [[], ''],
])('P60 %j: invalid_body, and nothing is written', async (body, detail) => {
  const refused = await change(body)
  expect(refused).toMatchObject({ status: 400, code: 'invalid_body' })
  expect(refused.detail).toContain(detail)
  expect(world.written).toEqual([])
})

it('P98 a category called __proto__ is refused, and nothing is written', async () => {
  const answer = await change(JSON.parse('{"categories":{"__proto__":{"mail":false}}}'))
  expect(answer).toMatchObject({ status: 400, code: 'invalid_body' })
  expect(world.written).toEqual([])
})

it.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+12'])(
  'P85 takes the time zone %s',
  async (time_zone) => {
    expect(await change({ time_zone })).toMatchObject({ status: 200 })
    expect(world.written.flat()).toContain(time_zone)
  },
)
