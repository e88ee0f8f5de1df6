import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Channel } from '../../worker/courier/channel.ts'
import type { Mailer } from '../../worker/mail/mailer.ts'
import {
  configure,
  env,
  eventually,
  hanging,
  listed,
  mailerAtRest,
  owed,
  ResendStandIn,
  rest,
  step,
  stepOn,
} from './mail-world.ts'
import { summaryIn } from './summary-in.ts'

let resend: ResendStandIn

beforeEach(() => {
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Reached = () => void

/** Each moment of an attempt, as something that is reached and then never ends. */
const moments: Record<string, (reached: Reached, mailer: Mailer) => void> = {
  'while it is prepared': (reached, mailer) =>
    hang(channelOf(mailer), 'prepare', () => {
      reached()
      return new Promise(() => {})
    }),
  'before it is surely on disk': (reached, mailer) =>
    hang(storageOf(mailer), 'sync', () => {
      reached()
      return new Promise(() => {})
    }),
  'before Resend has its request': (reached) =>
    resend.script.push(() => {
      reached()
      return hanging()
    }),
  'once Resend has taken it': (reached) =>
    resend.script.push((request) => {
      resend.accept(request)
      reached()
      return hanging()
    }),
  'once the answer is there': (reached, mailer) => {
    const channel = channelOf(mailer)
    const send = channel.send.bind(channel)
    hang(channel, 'send', async (request: Parameters<Channel['send']>[0]) => {
      await send(request)
      reached()
      return new Promise(() => {})
    })
  },
}

function hang<Thing extends object>(thing: Thing, method: keyof Thing, by: unknown): void {
  Object.defineProperty(thing, method, { value: by, configurable: true })
}

const channelOf = (mailer: Mailer) => (mailer as unknown as { channel: Channel }).channel
const storageOf = (mailer: Mailer) => (mailer as unknown as { ctx: DurableObjectState }).ctx.storage

describe.each([
  ['alone', '1'],
  ['in a batch', '100'],
])('a mail that goes %s', (how, MAIL_BATCH) => {
  test.each(Object.entries(moments))(
    `P52 P54: and whose mailer crashes %s goes out once`,
    async (moment, arrange) => {
      configure({ MAIL_BATCH })
      const name = `${how}, ${moment}`
      const mailer = await mailerAtRest(name)
      await mailer.enqueue([owed(1), owed(2), owed(3)])
      let reached = false
      await runInDurableObject(mailer, (object) =>
        arrange(() => {
          reached = true
        }, object),
      )
      const crashed = step(mailer).catch(() => 'crashed')
      await eventually(() => expect(reached).toBe(true))
      await abortAllDurableObjects()
      expect(await crashed).toBe('crashed')

      const again = env.MAILER.getByName(name)
      await rest(again)
      await stepOn(again)
      expect((await listed(again)).map(({ state }) => state)).toEqual(['sent', 'sent', 'sent'])
      expect(resend.mails.map(({ subject }) => subject).sort()).toEqual(
        [1, 2, 3].map((order) => expect.stringContaining(`Order ${order} is filled`)),
      )
    },
  )

  test('P52: goes out once with an eviction between every two steps and every alarm twice', async () => {
    configure({ MAIL_BATCH })
    const name = `evictions, ${how}`
    const mailer = await mailerAtRest(name)
    const failing = [
      async (request: Parameters<ResendStandIn['accept']>[0]) => {
        resend.accept(request)
        throw new TypeError('fetch failed')
      },
      () => Promise.reject(new TypeError('fetch failed')),
    ]
    resend.script.push(...failing, ...failing)
    for (let order = 1; order <= 5; order++) {
      await mailer.enqueue([owed(order), owed(order)])
      await evictDurableObject(mailer)
      await rest(mailer)
      await twice(mailer)
      await evictDurableObject(mailer)
      await rest(mailer)
    }
    for (let steps = 0; (await summaryIn(mailer)).queued > 0 && steps < 50; steps++) {
      await twice(mailer)
      await evictDurableObject(mailer)
      await rest(mailer)
    }
    expect(await summaryIn(mailer)).toEqual({ queued: 0, sent: 5, parked: 0 })
    expect(resend.mails).toHaveLength(5)
  })
})

/** The alarm fires again while its first run is under way, and once more when that has ended. */
async function twice(mailer: DurableObjectStub<Mailer>): Promise<void> {
  const second = runInDurableObject(mailer, (object) => object.alarm())
  await Promise.all([step(mailer), second])
  await runInDurableObject(mailer, (object) => object.alarm())
}
