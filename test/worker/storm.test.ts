import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import type { providerModes } from '../../dev/switches.ts'
import type { Owed } from '../../worker/courier/delivery.ts'
import { named } from '../../worker/courier/name.ts'
import { owedMails } from '../../worker/mail/owed.ts'
import { sameMailbox } from '../../worker/mail/recipients.ts'
import type { MailRule } from '../../worker/rules/rule.ts'
import { Random } from '../simulation/random.ts'
import { orderFilledRule } from '../support/database-of-rules.ts'
import type { StormContext } from '../support/storm-context.ts'
import { deliveryOf, eventsOf, filled, StormWorld, shuffled } from './storm-world.ts'
import { summaryIn } from './summary-in.ts'

/**
 * 1,000 orders become filled, in any order and handed over more than once, while Resend fails in
 * each way that its stand-in knows, webhooks come early, twice and in any order, the mailer is
 * killed at random, and hours go by.
 */
const ORDERS = 1_000
const CHUNK_MAX = 60
const ROUNDS_MIN = 60
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const CALM_ROUNDS_MAX = 400

const { seed }: StormContext = inject('storm')
const rules = [orderFilledRule as MailRule]
/** Told of every fifth order. */
const STAFF = { ALERT_RECIPIENTS: 'staff@belfry.test' }

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
})

test(`P50 P51 P52 P54 P55 P56 every mail that 1,000 orders owe is in the mailbox once, or parked with its reason (STORM_SEED=${seed})`, async () => {
  const random = new Random(seed)
  const world = new StormWorld(`storm ${seed}`)
  const owed = shuffled(
    Array.from({ length: ORDERS }, (_, index) => owedBy(index + 1, random)),
    random,
  )

  let handed = 0
  for (let round = 0; handed < owed.length || round < ROUNDS_MIN; round++) {
    if (round % 3 === 0) await world.switchTo({ provider: nextMode(round / 3) })
    const chunk = owed.slice(handed, handed + random.below(CHUNK_MAX))
    const again = random.chance(0.2)
      ? owed.slice(0, random.below(handed + 1)).slice(-CHUNK_MAX)
      : []
    await world.mailer.enqueue(shuffled([...chunk, ...again], random).flat())
    handed += chunk.length
    await oneThing(world, random)
  }
  await world.switchTo({})
  await world.ringAndKill(0)
  for (let round = 0; (await summaryIn(world.mailer)).queued > 0; round++) {
    expect(round, 'the storm is over, and mails still wait').toBeLessThan(CALM_ROUNDS_MAX)
    await world.pass(10 * MINUTE_MS)
    await world.ring()
  }

  const names = await Promise.all(
    owed.flat().map((each) => named(each, sameMailbox(each.recipient))),
  )
  const mails = await world.mails()
  const copies = countBy(mails, deliveryOf)
  const told = mails.flatMap((mail) => [...eventsOf(mail), ...eventsOf(mail).slice(0, 1)])
  await world.tell(shuffled(told, random))
  const rows = new Map((await world.rows()).map((row) => [row.tag, row]))

  expect(
    Array.from(copies.keys()).filter((tag) => !rows.has(tag)),
    'owed by nobody',
  ).toEqual([])
  expect([...rows.keys()].sort()).toEqual(names.map(({ tag }) => tag).sort())
  const verdicts = countBy(names, ({ tag, owed: { recipient } }) => {
    const { state, last_error } = rows.get(tag) as NonNullable<ReturnType<typeof rows.get>>
    const times = copies.get(tag) ?? 0
    if (times > 1) return `wrong: ${tag} is in the mailbox ${times} times`
    if (times === 1)
      return state === fateOf(recipient) ? 'arrived' : `wrong: ${tag} arrived and is ${state}`
    const isGivenUp = (state === 'parked' || state === 'unknown') && last_error
    return isGivenUp ? state : `wrong: ${tag} did not arrive and is ${state}: ${last_error}`
  })
  expect([...verdicts.keys()].filter((verdict) => verdict.startsWith('wrong'))).toEqual([])
  console.info(`storm ${seed}:`, Object.fromEntries(verdicts))
  expect(verdicts.get('arrived'), 'a storm that nothing gets through shows little').toBeGreaterThan(
    ORDERS / 2,
  )
})

function owedBy(id: number, random: Random): Owed[] {
  const { owed, failures } = owedMails(filled(id, random), rules, id % 5 === 0 ? STAFF : {})
  expect(failures).toEqual([])
  return owed
}

/** Each way of failing in turn, and between any two of them a moment in which all is well. */
function nextMode(turn: number): (typeof providerModes)[number] {
  const ways = [
    'down',
    'accept-then-hang',
    'failing',
    'slow',
    'accept-then-hang',
    'too-many',
  ] as const
  return turn % 2 === 0 ? (ways[(turn / 2) % ways.length] as (typeof ways)[number]) : 'up'
}

async function oneThing(world: StormWorld, random: Random): Promise<void> {
  await world.pass(
    random.chance(0.02) ? DAY_MS : random.one([1_000, MINUTE_MS, 10 * MINUTE_MS, HOUR_MS]),
  )
  if (random.chance(0.25)) await world.ringAndKill(random.below(25))
  else if (random.chance(0.5)) await world.ringAndKillOnceTaken()
  else await Promise.race([world.ring(1 + random.below(2)), giveUp()])
  if (random.chance(0.1)) await world.mailer.redrive({ states: ['parked'] })
  if (random.chance(0.2)) {
    const events = (await world.mails()).flatMap(eventsOf)
    await world.tell(shuffled(events, random).slice(0, 40))
  }
}

const giveUp = () => new Promise((resolve) => setTimeout(resolve, 60))

/** What the mailbox's rules make of a mail to this address. */
function fateOf(recipient: string): string {
  return /^(bounced|complained)\+\d+@resend\.dev$/.exec(recipient)?.[1] ?? 'delivered'
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}
