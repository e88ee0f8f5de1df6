import { type Bench, median, requireOrder, rotated, spread, turn } from '../bench.ts'
import type { Section } from '../section.ts'

/**
 * One statement that updates 100,000 rows: how long it takes the writer, and until a client has
 * the last of them. And how long it takes a client that was away to catch up on all of them.
 */
const ROWS = 100_000
const CLIENT_MS = 120_000
const PREPARE = [
  'ALTER TABLE orders DISABLE TRIGGER USER',
  // What the writer has written to warm up.
  'TRUNCATE orders',
  `INSERT INTO orders (customer_name, product_name, amount)
   SELECT 'customer ' || n, 'product ' || n % 100, n % 1000 FROM generate_series(1, ${ROWS}) AS n`,
  'ALTER TABLE orders ENABLE TRIGGER USER',
  'ANALYZE orders',
  'CHECKPOINT',
]
const UPDATE = "UPDATE orders SET status = 'processing'"

type Found = { statement: number[]; heard: number[]; catchUp: number[]; missing: number[] }

export async function bulk(bench: Bench): Promise<Section> {
  const rounds = Math.min(bench.rounds, 2)
  const found = new Map<string, Found>()
  for (let round = 0; round < rounds; round++)
    for (const contestant of rotated(bench.contestants, round)) {
      const entry = found.get(contestant.name) ?? {
        statement: [],
        heard: [],
        catchUp: [],
        missing: [],
      }
      found.set(contestant.name, entry)
      await turn(bench, { contestant, writers: 1, clients: 1 }, async ({ port }) => {
        for (const sql of PREPARE) await bench.writers('run', { sql })
        await bench.subscribers('begin', undefined)
        const { beganUs, seconds } = await bench.writers('run', { sql: UPDATE })
        const { atUs } = await bench.subscribers('untilHeard', { changes: ROWS, ms: CLIENT_MS })
        const heard = await bench.subscribers('report', undefined)
        requireOrder(heard, contestant.title)
        entry.statement.push(seconds)
        entry.heard.push((atUs - beganUs) / 1e6)
        entry.missing.push(ROWS - heard.least)
        let caughtUp = ''
        if (heard.position) {
          const from = { epoch: heard.position.epoch, offset: heard.position.offset - ROWS }
          const seconds = await catchUp(bench, port, from, contestant.title)
          entry.catchUp.push(seconds)
          caughtUp = `; caught up in ${seconds.toFixed(2)} s`
        }
        bench.say(
          `bulk, round ${round + 1}: ${contestant.title}: statement ${seconds.toFixed(2)} s, ` +
            `last heard after ${((atUs - beganUs) / 1e6).toFixed(2)} s, ${ROWS - heard.least} missing${caughtUp}`,
        )
      })
    }

  const bare = await bareStatement(bench)
  const cell = (numbers: number[]) =>
    numbers.length > 0 ? `${median(numbers).toFixed(1)} s` : 'not possible'
  return {
    name: 'bulk',
    title: `${ROWS.toLocaleString('en')} rows in one UPDATE`,
    columns: ['statement', 'client has the last', 'returning client catches up'],
    rows: [
      { title: 'no trigger', cells: [`${bare.toFixed(1)} s`, '', ''] },
      ...bench.contestants.map(({ name, title }) => {
        const { statement = [], heard = [], catchUp = [] } = found.get(name) ?? {}
        return { title, cells: [cell(statement), cell(heard), cell(catchUp)] }
      }),
    ],
    data: { ...Object.fromEntries(found), bare },
    spread: median([...found.values()].map(({ heard }) => spread(heard))),
    targets: [],
  }
}

async function catchUp(
  bench: Bench,
  port: number,
  from: { epoch: string; offset: number },
  title: string,
): Promise<number> {
  await bench.subscribers('close', undefined)
  const began = performance.now()
  await bench.subscribers('open', { dialect: 'belfry', port, count: 1, from })
  await bench.subscribers('untilHeard', { changes: ROWS, ms: CLIENT_MS })
  const seconds = (performance.now() - began) / 1000
  const heard = await bench.subscribers('report', undefined)
  requireOrder(heard, title)
  if (heard.least < ROWS) throw new Error(`${title} caught up on ${heard.least} only`)
  return seconds
}

async function bareStatement(bench: Bench): Promise<number> {
  const url = await bench.postgres.fresh('none')
  await bench.writers('connect', { url, count: 1 })
  for (const sql of PREPARE) await bench.writers('run', { sql })
  const { seconds } = await bench.writers('run', { sql: UPDATE })
  await bench.writers('connect', { url, count: 0 })
  return seconds
}
