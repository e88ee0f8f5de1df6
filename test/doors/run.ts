import { parseArgs } from 'node:util'
import { type Attack, isExpected, owasp } from './attack.ts'
import { attacks } from './table.ts'
import { World } from './world.ts'

/**
 * `npm run test:doors`: attacks on a whole system, each with what it got.
 *
 * A system of its own is started: PostgreSQL, the worker in workerd, a listener, an identity
 * provider. It is set up as in production, with every door closed. Then each attack is carried
 * out, in the order of the table, and told in one line:
 *
 *     ✔ API2  A token with alg none — 401 unauthorized
 *     ✘ API1  …                     — 200, not 404 not_found
 *
 * The mark says whether it got what it should; `API2` is the line of the OWASP API Security Top 10
 * (2023) that it belongs to; after the dash stands what it got. An attack of many probes says how
 * many there were and what they got: `all 84: 401 unauthorized ×42, 403 forbidden ×42`.
 *
 * `--only tokens` carries out those whose id holds that text; `--seed 7` repeats what chance chose
 * (the seed stands in the first line); `--keep` leaves the folder with the logs, as a failure does.
 * Ends with 0 if every attack got what it should, 1 if one did not, 2 if there was no run.
 */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      keep: { type: 'boolean', default: false },
    },
  })
  const chosen = attacks.filter(({ id }) => id.includes(values.only))
  if (chosen.length === 0) throw new Error(`No attack is called "${values.only}".`)
  const began = Date.now()
  console.log(`seed ${values.seed}: ${chosen.length} attacks`)
  const world = await World.start(Number(values.seed))
  const giveUp = (code: number) =>
    void world.stop({ keep: code === 2 }).finally(() => process.exit(code))
  process.once('SIGINT', () => giveUp(130))
  process.once('uncaughtException', (error) => {
    console.error(error)
    giveUp(2)
  })
  const failed: Attack[] = []
  try {
    const early = new Map(
      chosen.filter((attack) => attack.early).map((attack) => [attack, outcome(world, attack)]),
    )
    for (const attack of chosen) {
      const got = await (early.get(attack) ?? outcome(world, attack))
      if (!told(attack, got)) failed.push(attack)
    }
  } finally {
    const keep = values.keep || failed.length > 0
    await world.stop({ keep })
    if (keep) console.log(`its logs are in ${world.folder}`)
  }
  summarise(chosen, failed, Date.now() - began)
  return failed.length === 0 ? 0 : 1
}

function outcome(world: World, attack: Attack): Promise<string> {
  return attack.how(world).catch((error: unknown) => {
    const why = error instanceof Error ? `${error.message} ${error.cause ?? ''}` : String(error)
    return `it could not be carried out: ${why.trim()}`
  })
}

/** @returns whether it got what it should */
function told(attack: Attack, got: string): boolean {
  const isGood = isExpected(got, attack.expected)
  const wanted = isGood ? '' : `\n    should be: ${attack.expected}`
  console.log(`${isGood ? '✔' : '✘'} ${attack.owasp.padEnd(5)} ${attack.what} — ${got}${wanted}`)
  return isGood
}

function summarise(chosen: readonly Attack[], failed: readonly Attack[], tookMs: number): void {
  console.log('')
  for (const [line, title] of Object.entries(owasp)) {
    const mine = chosen.filter((attack) => attack.owasp === line)
    const bad = failed.filter((attack) => attack.owasp === line)
    const held =
      mine.length === 0 ? 'not tried' : `${mine.length - bad.length} of ${mine.length} held`
    console.log(`${line.padEnd(5)} ${title.padEnd(50)} ${held}`)
  }
  console.log(`\n${chosen.length} attacks in ${Math.round(tookMs / 1000)} s`)
  for (const { id, what } of failed) console.log(`✘ ${id}: ${what}`)
}

try {
  process.exitCode = await run()
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exitCode = 2
}
// Sockets that were abandoned on purpose are not waited for.
setTimeout(() => process.exit(), 2_000).unref()
