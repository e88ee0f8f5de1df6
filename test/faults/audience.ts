import pg from 'pg'
import { type Live, live } from '../../client/sdk/belfry.ts'
import type { Change, Row } from '../../protocol/change.ts'
import { quoteInexactNumbers } from '../../protocol/exact-numbers.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import type { Chance } from './chance.ts'
import { Reader, type ReaderPlan } from './readers.ts'
import { ADMIN_TOKEN, type System } from './system.ts'
import { TABLES } from './tables.ts'

/** A collection of the SDK's, and the table that it must equal in the end. */
export type Mirror = { name: string; table: string; live: Live<Row> }

const anything = () => true
const notBelfrysOwn = ({ table }: Change) => !ownTables.has(table)

/** Readers of a few lines, by each door, with filters and without. */
const readerPlans: readonly ReaderPlan[] = [
  { ...plan('all', 'socket', {}, anything), token: ADMIN_TOKEN },
  plan('all, by events', 'events', {}, notBelfrysOwn),
  plan('filled orders', 'socket', { table: 'orders', status: 'filled' }, (change) =>
    concerns(change, 'orders', ({ status }) => status === 'filled'),
  ),
  plan(
    'parcels that go',
    'socket',
    { table: 'yard.parcels', op: 'update,delete' },
    ({ table, op }) => table === 'yard.parcels' && (op === 'update' || op === 'delete'),
  ),
  plan('northern parcels', 'socket', { table: 'yard.parcels', 'where.depot': 'north' }, (change) =>
    concerns(change, 'yard.parcels', ({ depot }) => depot === 'north'),
  ),
  plan('ticks, by events', 'events', { table: 'ticks' }, ({ table }) => table === 'ticks'),
  { ...plan('latecomer', 'socket', {}, notBelfrysOwn), from: 'now' },
  {
    ...plan('wanderer', 'socket', { table: 'orders' }, ({ table }) => table === 'orders'),
    from: 'now, again and again',
  },
]

/** Everyone who listens. */
export class Audience {
  readonly readers: readonly Reader[]
  readonly mirrors: readonly Mirror[]
  readonly #database: pg.Pool
  /** How often the collections lost their connection. */
  reconnects = 0

  constructor(system: System, chance: Chance) {
    this.readers = readerPlans.map(
      (each) => new Reader(each, system.streetUrl, chance, system.violations),
    )
    this.#database = new pg.Pool({
      connectionString: system.databaseUrl,
      connectionTimeoutMillis: 3_000,
      query_timeout: 10_000,
      options: '-c timezone=UTC',
      max: 4,
    })
    this.#database.on('error', () => undefined)
    for (const reader of this.readers) reader.start()
    const url = system.streetUrl
    this.mirrors = [
      this.#mirror({ url }, 'orders', 'version', () => ordersByApi(system.workerUrl)),
      // With a ticket for each attempt.
      this.#mirror({ url, token: ADMIN_TOKEN }, 'orders', 'version'),
      this.#mirror({ url }, 'yard.parcels', 'version'),
      this.#mirror({ url }, 'ticks'),
    ]
  }

  get connections(): number {
    return this.readers.reduce((sum, { connections }) => sum + connections, 0) + this.reconnects
  }

  /** Whether everyone stands at the feed's head, and every collection is current. */
  whoIsBehind(head: number): string[] {
    const readers = this.readers.filter(({ shown }) => (shown.position?.offset ?? 0) < head)
    const mirrors = this.mirrors.filter(
      ({ live: { connection, freshness } }) =>
        (connection.position?.offset ?? 0) < head || freshness.state !== 'current',
    )
    return [
      ...readers.map(({ plan, shown }) => `${plan.name} (at ${shown.position?.offset})`),
      ...mirrors.map(
        ({ name, live: { connection, freshness } }) =>
          `${name} (${connection.state.state}, ${freshness.state}, at ${connection.position?.offset})`,
      ),
    ]
  }

  settle(): void {
    for (const reader of this.readers) reader.settle()
  }

  async stop(): Promise<void> {
    for (const { live } of this.mirrors) live.close()
    await Promise.all(this.readers.map((reader) => reader.stop()))
    await this.#database.end()
  }

  #mirror(
    worker: { url: string; token?: string },
    table: string,
    version?: string,
    snapshot: () => Promise<Row[]> = () => this.#rows(table),
  ): Mirror {
    const key = TABLES.find(({ name }) => name === table)?.key ?? []
    const onState = ({ state }: { state: string }) => {
      if (state === 'waiting') this.reconnects++
    }
    const collection = live<Row>(table, {
      ...worker,
      key,
      snapshot,
      onState,
      ...(version && { version }),
    })
    return { name: `live ${table}${version ? '' : ', no version'}`, table, live: collection }
  }

  async #rows(table: string): Promise<Row[]> {
    const relation = TABLES.find(({ name }) => name === table)?.relation
    const { rows } = await this.#database.query<{ row: string }>(
      `SELECT to_json(t)::text AS row FROM ${relation} t`,
    )
    return rows.map(({ row }) => JSON.parse(quoteInexactNumbers(row)))
  }
}

function plan(
  name: string,
  door: ReaderPlan['door'],
  query: Record<string, string>,
  wants: ReaderPlan['wants'],
): ReaderPlan {
  return { name, door, query, wants, from: 'beginning' }
}

/** A row that leaves the filter concerns it; what comes without images may. */
function concerns(change: Change, table: string, holds: (row: Row) => boolean): boolean {
  if (change.table !== table) return false
  const images = [change.old, change.new].filter((image) => image !== null)
  return images.length === 0 || images.some(holds)
}

async function ordersByApi(workerUrl: string): Promise<Row[]> {
  const rows: Row[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '200', sort: 'id', ...(cursor && { cursor }) })
    const response = await fetch(`${workerUrl}/api/orders?${query}`, {
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`orders: ${response.status}`)
    const page = (await response.json()) as { orders: Row[]; next_cursor: string | null }
    rows.push(...page.orders)
    cursor = page.next_cursor
  }
  return rows
}
