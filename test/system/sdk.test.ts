import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { run as belfry } from '../../client/cli/run.ts'
import { type Freshness, type Live, live } from '../../client/sdk/belfry.ts'
import { FakeTerminal } from '../cli/fake-terminal.ts'
import { sdkExample } from '../support/readme.ts'
import { create, database, local } from './shop.ts'

const PATIENCE_MS = 20_000

/** In the folder of the project that runs. */
function inFolder(file: string): string {
  return join(dirname(process.env.BELFRY_LOCAL ?? ''), '..', file)
}

/** Waits for a line among all that an example has printed since it began. */
type Heard = (wanted: RegExp) => Promise<string>

/** As a reader has it from the command line. */
async function printedToken(scopes = 'orders:read'): Promise<string> {
  const terminal = new FakeTerminal()
  terminal.cwd = inFolder('')
  expect(await belfry(['token', '--scopes', scopes], terminal)).toBe(0)
  return terminal.stdout.trim()
}

/** Runs an example of the README in the project's folder, as its reader would. */
async function withExample(file: string, text: string, look: (heard: Heard) => Promise<void>) {
  const code = sdkExample(text).replaceAll('http://127.0.0.1:8787', local.url)
  writeFileSync(inFolder(file), code)
  const child = spawn(process.execPath, [file], {
    cwd: inFolder(''),
    env: { ...process.env, BELFRY_TOKEN: await printedToken() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece) => {
      printed += piece
    })
  const heard: Heard = (wanted) =>
    vi.waitFor(
      () => {
        const line = printed.split('\n').find((each) => wanted.test(each))
        if (line === undefined) throw new Error(`${file} has not printed ${wanted}:\n${printed}`)
        return line
      },
      { timeout: PATIENCE_MS, interval: 20 },
    )
  try {
    await look(heard)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

describe('the README’s examples of the SDK, as written', () => {
  test('P30 a table that stays true', async () => {
    await withExample('board.ts', 'for await', async (heard) => {
      const first = await heard(/^snapshot: /)
      const [, , total] = /^snapshot: (\d+) of (\d+) orders are filled$/.exec(first) ?? []
      await create()
      await heard(new RegExp(`^changes: \\d+ of ${Number(total) + 1} orders`))
    })
  })

  test('P31 changes one by one, going on where it stopped', async () => {
    const text = 'position.json'
    await withExample('follow.ts', text, async (heard) => {
      await heard(/^live/)
      const { id } = await create({ status: 'filled' })
      await heard(new RegExp(`^insert { id: ${id} }`))
      await vi.waitFor(() => JSON.parse(readFileSync(inFolder('position.json'), 'utf8')))
    })
    const { id: missed } = await create({ status: 'filled' })
    await withExample('follow.ts', text, async (heard) => {
      expect(await heard(/^insert/)).toBe(`insert { id: ${missed} }`)
    })
  })
})

describe('any watched table', () => {
  beforeAll(async () => {
    await database.query(`
      CREATE SCHEMA depot;
      CREATE TABLE depot."Parcels; --" (
        depot text, "no" bigint, weight numeric, body text, PRIMARY KEY (depot, "no"));
      INSERT INTO depot."Parcels; --" SELECT 'north', n, n + 0.1, 'x' FROM generate_series(1, 1100) AS n;
      INSERT INTO depot."Parcels; --" VALUES ('south', 9007199254740993, 0.12345678901234567890, repeat('y', 10000000))`)
  })
  afterAll(async () => {
    await database.query('DROP SCHEMA depot CASCADE')
  })

  const TABLE = 'depot.Parcels; --'
  const settled = (table: Live, state: Freshness['state'] = 'current') =>
    vi.waitFor(() => expect(table.freshness).toMatchObject({ state }), { timeout: PATIENCE_MS })

  test('P60 is refused by each door before it is watched, and found soon after', async () => {
    const token = await printedToken('*:read')
    const query = `?table=${encodeURIComponent(TABLE)}`
    const doors = [`/api/changes${query}`, `/api/changes/stream${query}`]
    const headers = { authorization: `Bearer ${token}` }
    for (const door of doors) {
      const response = await fetch(local.url + door, { headers })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        code: 'invalid_filter',
        detail: `table: "${TABLE}" is not watched; watched are orders`,
      })
    }
    const terminal = new FakeTerminal()
    terminal.env = { BELFRY_URL: local.url, BELFRY_TOKEN: token }
    expect(await belfry(['tail', TABLE], terminal)).toBe(1)
    expect(terminal.stderr).toContain(`table: "${TABLE}" is not watched; watched are orders.`)
    expect(await belfry(['tail', 'orders', '--where', 'status_=x'], terminal)).toBe(1)
    expect(terminal.stderr).toContain(
      'status_: orders has no such column; it has id, customer_name',
    )

    const rows = `${local.url}/api/tables/${encodeURIComponent(TABLE)}/rows`
    const missing = await fetch(rows, { headers })
    expect(missing.status).toBe(404)
    await database.query(`SELECT belfry.watch('depot."Parcels; --"')`)
    const found = async () =>
      expect((await fetch(local.url + doors[0], { headers })).status).toBe(200)
    await vi.waitFor(found, { timeout: PATIENCE_MS, interval: 100 })
  })

  test('P5 P6 lives by its name alone: pages, exact numbers, a row of 10 MB', async () => {
    using parcels = live(TABLE, { url: local.url, token: () => printedToken('*:read') })
    await settled(parcels)
    expect(parcels.rows().size).toBe(1_101)
    expect(parcels.rows().get('{"depot":"north","no":1100}')).toEqual({
      depot: 'north',
      no: 1100,
      weight: 1100.1,
      body: 'x',
    })
    const south = '{"depot":"south","no":"9007199254740993"}'
    expect(parcels.rows().get(south)).toEqual({ depot: 'south', no: '9007199254740993' })
    expect([...parcels.partial]).toEqual([south])

    await database.query(`DELETE FROM depot."Parcels; --" WHERE depot = 'north' AND "no" > 1`)
    await database.query(`UPDATE depot."Parcels; --" SET body = 'small' WHERE depot = 'south'`)
    await vi.waitFor(
      () =>
        expect([...parcels.rows().values()]).toEqual([
          { depot: 'north', no: 1, weight: 1.1, body: 'x' },
          {
            depot: 'south',
            no: '9007199254740993',
            weight: '0.12345678901234567890',
            body: 'small',
          },
        ]),
      { timeout: PATIENCE_MS },
    )
    expect(parcels.partial.size).toBe(0)
  })

  test('P60 live() on a table that nobody watches says so, and ends', async () => {
    using nothing = live('nothing', { url: local.url, token: local.adminToken })
    const loop = (async () => {
      for await (const _ of nothing);
    })()
    await expect(loop).rejects.toThrow('the query is wrong: table: "nothing" is not watched')
    expect(nothing.connection.state).toMatchObject({ state: 'closed' })
  })
})
