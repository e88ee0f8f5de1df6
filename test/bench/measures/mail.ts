import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalServer } from '../../../dev/local-http.ts'
import { serveMailbox } from '../../../dev/mailbox.ts'
import { within } from '../../support/deadline.ts'
import { type Bench, median, rotated, spread } from '../bench.ts'
import { somePort, untilHealthy } from '../contestants.ts'
import type { Section } from '../section.ts'
import { bundleWorker, workerdLaunch } from '../workerd.ts'

/**
 * Mails a second from the mailer's door to the mailbox, through the stand-in for Resend: batched
 * and each by itself, as fast as both can and at the rate that Resend allows a team.
 */
const RESEND_RATE = 5
/** A limit that nobody reaches: without one in its headers Resend is asked only twice a second. */
const NO_RATE = 1_000_000
const AT_ONCE = 100
const DEADLINE_MS = 120_000

const ways = [
  { name: 'batched', title: 'up to 100 in one request', batch: 100, mails: 2_000, quick: 500 },
  { name: 'alone', title: 'each by itself', batch: 1, mails: 40, quick: 15 },
] as const

type Way = (typeof ways)[number]
type Found = { fast: number[]; limited: number[] }

export async function mail(bench: Bench): Promise<Section> {
  const bundle = await bundleWorker(
    dirname(bench.bundle),
    fileURLToPath(new URL('../mail-worker.js', import.meta.url)),
  )
  const found: Record<Way['name'], Found> = {
    batched: { fast: [], limited: [] },
    alone: { fast: [], limited: [] },
  }
  for (let round = 0; round < bench.rounds; round++)
    for (const way of rotated(ways, round)) {
      const count = bench.quick ? way.quick : way.mails
      const fast = await mailsASecond(bench, bundle, way.batch, NO_RATE, count)
      const limited = await mailsASecond(bench, bundle, way.batch, RESEND_RATE, count)
      found[way.name].fast.push(fast)
      found[way.name].limited.push(limited)
      bench.say(
        `mail, round ${round + 1}: ${way.title}: ${figure(fast)} mails/s, ${figure(limited)} at ${RESEND_RATE} requests/s`,
      )
    }
  const times = (of: keyof Found) =>
    `${figure(median(found.batched[of]) / median(found.alone[of]))} ×`
  return {
    name: 'mail',
    title: 'Mails a second, from the mailer’s door to the mailbox of the stand-in for Resend',
    columns: ['no limit, so 10 requests/s', `${RESEND_RATE} requests/s, as Resend`],
    rows: [
      ...ways.map(({ name, title }) => ({
        title,
        cells: [figure(median(found[name].fast)), figure(median(found[name].limited))],
      })),
      { title: 'batched over alone', cells: [times('fast'), times('limited')] },
    ],
    data: found,
    spread: median(ways.map(({ name }) => spread(found[name].fast))),
    targets: [],
  }
}

async function mailsASecond(
  bench: Bench,
  bundle: string,
  batch: number,
  rate: number,
  count: number,
): Promise<number> {
  const folder = dirname(bench.bundle)
  const file = `${folder}/mails.jsonl`
  let mails = 0
  const all = Promise.withResolvers<void>()
  const mailbox = await serveMailbox({
    file,
    port: 0,
    switches: { requests_per_second: rate },
    keep: 10_000,
    onMail: () => {
      mails += 1
      if (mails === count) all.resolve()
    },
  })
  const { url, stop } = await startWorker(bench, bundle, mailbox, batch)
  try {
    const began = performance.now()
    for (let from = 0; from < count; from += AT_ONCE) {
      const owed = Array.from({ length: Math.min(AT_ONCE, count - from) }, () => owedMail())
      const response = await fetch(`${url}/bench/enqueue`, {
        method: 'POST',
        body: JSON.stringify(owed),
      })
      if (!response.ok) throw new Error(`enqueue: ${response.status} ${await response.text()}`)
    }
    await within(DEADLINE_MS, `${count} mails in the mailbox`, all.promise)
    return (count * 1_000) / (performance.now() - began)
  } finally {
    await stop()
    await mailbox.close()
    rmSync(file, { force: true })
  }
}

async function startWorker(bench: Bench, bundle: string, mailbox: LocalServer, batch: number) {
  const port = await somePort()
  const url = `http://127.0.0.1:${port}`
  const secrets = { DATABASE_URL: NO_DATABASE, LINK_SECRET: 'bench link', ADMIN_TOKEN: 'bench' }
  const vars = {
    RESEND_API_KEY: 're_bench',
    RESEND_BASE_URL: mailbox.url,
    MAIL_FROM: 'Belfry <orders@belfry.test>',
    MAIL_BATCH: String(batch),
    PUBLIC_URL: url,
  }
  const part = await bench.stage.start('workerd', workerdLaunch(bundle, port, secrets, { vars }))
  await untilHealthy(url, part)
  return { url, stop: () => part.stop('SIGKILL') }
}

let orders = 0

/** As the consumer of the feed hands it over (Owed of worker/courier/delivery.ts). */
function owedMail(): object {
  const id = ++orders
  return {
    rule: 1,
    ruleName: 'order-filled',
    change: crypto.randomUUID(),
    table: 'orders',
    key: String(id),
    recipient: `customer-${id}@belfry.test`,
    body: JSON.stringify({
      template: 'order-filled',
      audience: 'customer',
      category: 'orders',
      data: {
        id,
        customer_name: 'Ada Lovelace',
        product_name: 'Brass gears, set of 40',
        amount: 412.5,
        customer_email: `customer-${id}@belfry.test`,
        updated_at: '2026-11-21T08:33:55.123456+00:00',
      },
    }),
  }
}

function figure(number: number): string {
  return number >= 100
    ? Math.round(number).toLocaleString('en')
    : number.toLocaleString('en', { maximumSignificantDigits: 2 })
}

/** No mail to an address that stands in the row asks a database for anything. */
const NO_DATABASE = 'postgres://nobody:nothing@127.0.0.1:1/none'
