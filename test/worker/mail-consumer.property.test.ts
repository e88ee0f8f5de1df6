import { runInDurableObject } from 'cloudflare:test'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Change, Row } from '../../protocol/change.ts'
import type { Owed } from '../../worker/courier/delivery.ts'
import type { Env } from '../../worker/env.ts'
import { Consumers } from '../../worker/feed/consumers.ts'
import { mailConsumer } from '../../worker/feed/mail-consumer.ts'
import { answerWithRows, orderFilledRule } from '../support/database-of-rules.ts'
import { bindings } from './link.ts'

/**
 * P58 on the real consumer: rules and orders change in any order; pages end anywhere; the mailer
 * fails and the feed is evicted in between. What is owed is what one who reads the log change by
 * change would owe, from where the rules were loaded on.
 */
const STATUSES = ['filled', 'shipped'] as const

type Step =
  | { kind: 'order'; was: string | null; is: string; oversize: boolean }
  | { kind: 'rule'; id: number; status: string; enabled: boolean; garbage: boolean }
  | { kind: 'drop'; id: number }
  | { kind: 'truncate' }

const status = fc.constantFrom(...STATUSES)
const id = fc.integer({ min: 1, max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      was: fc.option(status),
      is: status,
      oversize: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ kind: fc.constant('rule' as const), id, status },
      enabled: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
      garbage: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), id }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
)

const world = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  /** Where in the log the rules are when they are loaded, as a part of its length. */
  loadedAt: fc.double({ min: 0, max: 1, noNaN: true }),
  pages: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
  /** Whether the mailer fails, call by call; after these it does not. */
  failures: fc.array(fc.boolean(), { maxLength: 5 }),
  evictions: fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
})

let table: Row[] = []

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => answerWithRows(table))
})
afterEach(() => {
  vi.restoreAllMocks()
})

test('P58 a rule is in force for every change behind it in the log, and for none before', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ steps, loadedAt, pages, failures, evictions }) => {
      const loadedAfter = Math.floor(loadedAt * steps.length)
      const { log, expected, poison, rulesAfter } = told(steps, loadedAfter)
      table = rulesAfter
      const { handed, parked } = await inObject((sql) => run(sql, log, pages, failures, evictions))
      const later = (offset: number) => offset > loadedAfter
      expect(
        handed
          .filter(({ offset }) => later(offset))
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(expected.toSorted())
      expect(parked.filter(later)).toEqual(poison)
    }),
    { numRuns: 60 },
  )
})

/** The log, and what one owes who reads it change by change. */
function told(steps: readonly Step[], loadedAfter: number) {
  const rules = new Map<number, Row>([[1, ruleRow(1, 'filled', 1)]])
  const versions = new Map([[1, 1]])
  let rulesAfter = [...rules.values()]
  const log: Change[] = []
  const expected: string[] = []
  const poison: number[] = []
  for (const [index, step] of steps.entries()) {
    const offset = index + 1
    const change = changeOf(step, offset, rules, versions)
    log.push(change)
    if (step.kind === 'order' && offset > loadedAfter) {
      const inForce = [...rules.values()].filter(
        ({ enabled, when }) => enabled && when !== 'garbage',
      )
      const unsure = step.oversize && inForce.length > 0
      if (unsure) poison.push(offset)
      else if (!step.oversize && step.was !== step.is)
        for (const { id, when } of inForce)
          if (JSON.stringify(when).includes(step.is)) expected.push(`${id} ${change.id}`)
    }
    if (offset === loadedAfter) rulesAfter = [...rules.values()]
  }
  return { log, expected, poison, rulesAfter }
}

function changeOf(
  step: Step,
  offset: number,
  rules: Map<number, Row>,
  versions: Map<number, number>,
): Change {
  const named = { offset, id: `change ${offset}`, at: '2026-11-21T08:34:55.123456+00:00' }
  switch (step.kind) {
    case 'order': {
      const op = step.was === null ? 'insert' : 'update'
      const base: Change = { ...named, table: 'orders', op, key: { id: 1 }, old: null, new: null }
      if (step.oversize) return { ...base, oversize: true }
      return { ...base, old: step.was === null ? null : orderRow(step.was), new: orderRow(step.is) }
    }
    case 'rule': {
      const old = rules.get(step.id) ?? null
      // An id may come back here, as it cannot in Postgres; its versions go on all the same.
      const version = (versions.get(step.id) ?? 0) + 1
      versions.set(step.id, version)
      const row = {
        ...ruleRow(step.id, step.status, version),
        enabled: step.enabled,
        ...(step.garbage && { when: 'garbage' }),
      }
      rules.set(step.id, row)
      const op = old === null ? 'insert' : 'update'
      return { ...named, table: 'rules', op, key: { id: step.id }, old, new: row }
    }
    case 'drop': {
      const old = rules.get(step.id)
      if (!old)
        return { ...named, table: 'other', op: 'insert', key: { id: 1 }, old: null, new: {} }
      rules.delete(step.id)
      return { ...named, table: 'rules', op: 'delete', key: { id: step.id }, old, new: null }
    }
    case 'truncate':
      rules.clear()
      return { ...named, table: 'rules', op: 'truncate', key: null, old: null, new: null }
  }
}

function ruleRow(id: number, status: string, version: number): Row {
  return {
    ...orderFilledRule,
    ...{ id, version, name: `rule ${id}`, when: { status: { became: [status] } } },
    recipients: [{ address: 'desk@example.com' }],
  }
}

function orderRow(status: string): Row {
  const at = '2026-11-21T08:33:55.123456+00:00'
  const names = { customer_name: 'Ada', product_name: 'Bell' }
  return { id: 1, ...names, status, amount: 12.5, customer_email: null, updated_at: at }
}

type Handed = { name: string; offset: number }

/** With storage as on the first day, which may be touched there only. */
function inObject<T>(work: (sql: SqlStorage) => Promise<T>): Promise<T> {
  return runInDurableObject(bindings.MAILER.getByName('a consumer'), async (_, { storage }) => {
    for (const table of ['consumers', 'parked_changes', 'books', 'book_rows'])
      storage.sql.exec(`DROP TABLE IF EXISTS ${table}`)
    return work(storage.sql)
  })
}

async function run(
  sql: SqlStorage,
  log: readonly Change[],
  pages: readonly number[],
  failures: readonly boolean[],
  evictions: readonly boolean[],
): Promise<{ handed: Handed[]; parked: number[] }> {
  const handed = new Map<string, Handed>()
  let calls = 0
  const enqueue = async (owed: Owed[]) => {
    if (failures[calls++]) throw new Error('the mailer is away')
    for (const { rule, change } of owed) {
      const name = `${rule} ${change}`
      handed.set(name, { name, offset: Number(change.split(' ')[1]) })
    }
  }
  const env = {
    DATABASE_URL: 'postgres://nobody:nothing@database.invalid/belfry',
    MAILER: { getByName: () => ({ enqueue }) },
  } as unknown as Env
  let reads = 0
  const read = (after: number, single: boolean) =>
    log.slice(after, after + (single ? 1 : (pages[reads++ % pages.length] as number)))
  const wake = () => new Consumers(sql, [mailConsumer(env, sql)], read, () => 'epoch', 0)
  let consumers = wake()
  for (let turn = 0; consumers.report(log.length)[0]?.behind !== 0; turn++) {
    if (turn > 1_000) throw new Error('it does not get on')
    sql.exec('UPDATE consumers SET retry_at = 1 WHERE retry_at > 0')
    if (evictions[turn % evictions.length]) consumers = wake()
    await consumers.run()
  }
  const { parked } = consumers.parked.list(null, 200, null)
  return {
    handed: [...handed.values()],
    parked: parked.map(({ offset }) => offset).toSorted((a, b) => a - b),
  }
}
