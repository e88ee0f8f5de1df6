import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  age,
  bothCounts,
  broken,
  configure,
  HOUR_MS,
  listed,
  mailerAtRest,
  owed,
  ResendStandIn,
  refusal,
  rest,
  type SentRequest,
  sql,
  step,
  stepOn,
} from './mail-world.ts'

let resend: ResendStandIn

beforeEach(() => {
  configure({ MAIL_BATCH: '3' })
  resend = new ResendStandIn()
  vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

const names = ['ada', 'bob', 'no'] as const
const kinds = ['sent', 'delivered', 'bounced', 'complained', 'failed'] as const
const ROUNDS = 30

/** The same dice for the same seed, so that a failure comes again. */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

test.each([1, 2, 3])(
  'P51 P54: whatever happens, in any order, nothing goes out twice in one round, nothing is lost, and the counts are those of a recount (seed %i)',
  async (seed) => {
    const random = dice(seed)
    const mailer = await mailerAtRest(`random ${seed}`)
    resend.refuses = ({ to }) => to[0]?.startsWith('no.') === true
    const answers: ((request: SentRequest) => Response | Promise<Response>)[] = [
      () => refusal(422, 'validation_error'),
      () => refusal(500, 'application_error'),
      () => refusal(429, 'rate_limit_exceeded'),
      broken,
      async (request) => {
        resend.accept(request)
        return broken()
      },
    ]
    const known = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of names) {
        const order = random(25)
        // Each has its own mailbox, so that no complaint silences all of them.
        const mail = owed(order, `${name}.${order}@example.com`)
        known.add(mail.recipient)
        await mailer.enqueue([mail])
      }
      const answer = answers[random(7)]
      if (answer) resend.script.push(answer)
      await step(mailer)
      const id = 1 + random(80)
      if (random(3) === 0) await mailer.redrive({ id })
      if (random(4) === 0) await mailer.cancel(id)
      if (random(20) === 0) await age(mailer, 23 * HOUR_MS)
      if (random(6) === 0) {
        await evictDurableObject(mailer)
        await rest(mailer)
      }
      const told = resend.mails[random(resend.mails.length)]
      if (told)
        await mailer.heard({
          id: `msg_${random(20)}`,
          kind: kinds[random(5)] ?? 'sent',
          at: new Date().toISOString(),
          providerId: `re_${1 + random(60)}`,
          delivery: told.tags[0]?.value ?? null,
          recipient: null,
          detail: null,
          permanent: false,
        })
    }
    resend.script.length = 0
    await stepOn(mailer)

    // A tag names a delivery and its round.
    const tags = resend.mails.map((mail) => mail.tags[0]?.value)
    expect(tags).toHaveLength(new Set(tags).size)
    const mails = await listed(mailer)
    expect(mails).toHaveLength(known.size)
    const waiting = mails.filter(({ state }) => ['queued', 'sending', 'failed'].includes(state))
    expect(waiting).toEqual([])
    const { kept, recount } = await bothCounts(mailer)
    expect(kept).toEqual(recount)
    expect(Object.values(kept).filter((count) => count > 0).length).toBeGreaterThan(2)

    // Settled, nothing is kept that only a repetition needs; forgotten, nothing at all.
    await age(mailer, 23 * HOUR_MS)
    await mailer.countRedrivable({})
    await sql(mailer, 'UPDATE deliveries SET forget_at = forget_at - ?', 400 * 24 * HOUR_MS)
    await mailer.redrive({ states: [] })
    await runInDurableObject(mailer, (_mailer, { storage }) => {
      expect(storage.sql.exec('SELECT * FROM deliveries').toArray()).toEqual([])
    })
    expect(Object.values(await mailer.counts()).every((count) => count === 0)).toBe(true)
  },
)
