import { describe, expect, it, test, vi } from 'vitest'
import { MAX_LINE_BYTES } from '../../worker/api/ndjson-lines.ts'
import { AdminWorld } from './admin-world.ts'

const world = new AdminWorld()
const { db } = world

type Said = Record<string, unknown>
type Sum = { lines: number; created: number; changed: number; unchanged: number; failed: number }

async function load(body: string | ReadableStream): Promise<{ status: number; said: Said[] }> {
  const init = { body, duplex: 'half', headers: { 'content-type': 'application/x-ndjson' } }
  const response = await world.request('POST', '/api/users/load', init as RequestInit)
  const text = await response.text()
  return {
    status: response.status,
    said: text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }
}

const lines = (...each: object[]) => each.map((line) => JSON.stringify(line)).join('\n')
const faults = (said: Said[]) => said.filter(({ message, line }) => message && line)
const sumOf = (said: Said[]) => said.at(-1) as Sum & { done: boolean }
const person = async (id: number) => (await world.ask('GET', `/api/users/${id}`)).body
const heard = async () => (await db.changes()).map(({ op, new: row }) => `${op} ${row?.id}`)

describe('POST /api/users/load', () => {
  it('P88 creates who is not there, changes the fields given, and twice is once', async () => {
    const body = lines(
      {
        id: 11,
        name: 'Ada',
        email: 'ada@example.com',
        quiet_hours: { from: '22:00', to: '07:00' },
      },
      { id: 12, name: 'Grace', time_zone: 'America/New_York', digest: 'daily', digest_at: '09:30' },
    )
    const first = await load(`${body}\n`)
    expect(first.status).toBe(200)
    expect(sumOf(first.said)).toEqual({
      ...{ done: true, lines: 2, created: 2, changed: 0, unchanged: 0, failed: 0 },
    })
    expect(await heard()).toEqual(['insert 11', 'insert 12'])
    expect(sumOf((await load(body)).said)).toMatchObject({ unchanged: 2, created: 0, changed: 0 })
    expect(await heard()).toEqual([])

    const some = lines({ id: 11, email: null }, { id: 12, digest_at: '09:30:00' }, { id: 12 })
    expect(sumOf((await load(some)).said)).toMatchObject({ lines: 3, changed: 1, unchanged: 2 })
    expect(await heard()).toEqual(['update 11'])
    expect(await person(11)).toMatchObject({
      ...{ name: 'Ada', email: null, quiet_hours: { from: '22:00', to: '07:00' }, version: 2 },
    })
    expect(await person(12)).toMatchObject({
      ...{ name: 'Grace', time_zone: 'America/New_York', digest: 'daily', digest_at: '09:30' },
    })
  })

  it('P88 a line with a name alone is as an INSERT with a name alone', async () => {
    await load(lines({ id: 21, name: 'Least' }))
    await db.run("INSERT INTO users (id, name) VALUES (22, 'Least')")
    const [loaded, inserted] = await db.run('SELECT * FROM users WHERE id IN (21, 22) ORDER BY id')
    const { id: _, created_at: __, updated_at: ___, ...columns } = inserted ?? {}
    expect(loaded).toMatchObject(columns)
  })

  it('P88 takes each good line and names each bad one by its number', async () => {
    const bad = new Map<number, [line: string, message: RegExp]>([
      [2, ['{"id": 32', /not a JSON object/]],
      [4, ['null', /not a JSON object/]],
      [5, ['{"name": "Nobody"}', /^id: must be a whole number/]],
      [6, ['{"id": 9000000000000001, "name": "Far"}', /^id: must be a whole number/]],
      [7, ['{"id": "33", "name": "Text"}', /^id: /]],
      [8, ['{"id": 34, "name": " "}', /^name: must be text/]],
      [9, ['{"id": 35, "name": "A", "email": "a@b@c"}', /^email: must be one plain address/]],
      [10, ['{"id": 36, "name": "A", "time_zone": "Mars/Base"}', /^time_zone: /]],
      [11, ['{"id": 37, "name": "A", "role": "admin"}', /^role: is not known here/]],
      [12, ['{"id": 38, "email": "new@example.com"}', /no user 38 yet\. Give a name/]],
      [13, [`{"id": 39, "name": "${'x'.repeat(MAX_LINE_BYTES)}"}`, /longer than 16384 bytes/]],
      [14, ['{"id": 40, "name": "Refused by SQL"}', /constraint no_sql/]],
      [15, ['{"id": 41, "name": "nul \\u0000"}', /^name: /]],
      [16, ['{"id": 42, "name": "half \\ud83d"}', /^name: /]],
      [17, ['{"id": 43, "name": "A", "quiet_hours": {"from": "25:00"}}', /^quiet_hours/]],
    ])
    await db.run("ALTER TABLE users ADD CONSTRAINT no_sql CHECK (name NOT LIKE '%SQL')")
    const all = Array.from({ length: 20 }, (_, index) => {
      const number = index + 1
      if (number === 3) return '  '
      return bad.get(number)?.[0] ?? JSON.stringify({ id: 3_000 + number, name: 'Good' })
    })
    const { said } = await load(all.join('\r\n'))
    await db.run('ALTER TABLE users DROP CONSTRAINT no_sql')
    const named = faults(said)
    expect(named.map(({ line }) => Number(line)).sort((a, b) => a - b)).toEqual([...bad.keys()])
    for (const { line, message } of named)
      expect(message).toMatch(bad.get(line as number)?.[1] ?? /none/)
    expect(sumOf(said)).toEqual({
      ...{ done: true, lines: 19, created: 4, changed: 0, unchanged: 0, failed: bad.size },
    })
    expect(await heard()).toEqual(['insert 3001', 'insert 3018', 'insert 3019', 'insert 3020'])
  })

  it('P88 reads a line however the stream is cut, and what is not UTF-8 is named', async () => {
    const bytes = new TextEncoder().encode(`\ufeff${lines({ id: 51, name: 'Žofie' })}\n`)
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte))
    const broken = new TextEncoder().encode('{"id": 52, "name": "??"}\n')
    broken.set([0xc3, 0x28], broken.indexOf(0x3f))
    const { said } = await load(
      ReadableStream.from([...pieces, broken, new TextEncoder().encode('{"id":53,"name":"Z"}')]),
    )
    expect(faults(said)).toEqual([{ line: 2, message: 'The line is not UTF-8.' }])
    expect(await person(51)).toMatchObject({ name: 'Žofie' })
    expect(await person(53)).toMatchObject({ name: 'Z' })
  })

  it('P88 lines of one user are taken in their order, close together or not', async () => {
    const { said } = await load(
      lines(
        { id: 61, name: 'First', digest: 'daily' },
        { id: 61, name: 'Second', email: 'second@example.com' },
        { id: 62, email: 'early@example.com' },
        { id: 62, name: 'Late' },
        { id: 61, email: null },
      ),
    )
    expect(faults(said)).toEqual([{ line: 3, message: expect.stringContaining('no user 62') }])
    expect(await person(61)).toMatchObject({ name: 'Second', email: null, digest: 'daily' })
    expect(await person(62)).toMatchObject({ name: 'Late', email: null })
    const { lines: taken, created, changed, unchanged, failed } = sumOf(said)
    expect(taken).toBe(created + changed + unchanged + failed)
  })

  it('says how far it is as it goes, and moves the sequence on', async () => {
    const all = Array.from({ length: 2_500 }, (_, n) => ({ id: 10_000 + n, name: `User ${n}` }))
    const { said } = await load(lines(...all))
    expect(said.map((each) => each.lines)).toEqual([1_000, 2_000, 2_500, 2_500])
    expect(sumOf(said)).toMatchObject({ done: true, created: 2_500 })
    const { body } = await world.ask('POST', '/api/users', { name: 'Next' })
    expect(body.id).toBe(12_500)
  })

  it('P88 lines that break off are said to, and half a line is none', async () => {
    vi.spyOn(console, 'warn').mockReturnValue()
    async function* broken() {
      yield new TextEncoder().encode('{"id": 71, "name": "Whole"}\n{"id": 72}')
      throw new TypeError('the other side went away')
    }
    const { said } = await load(ReadableStream.from(broken()))
    expect(said).toEqual([
      {
        done: false,
        message: expect.stringMatching(/broke off\. .* load the same again/),
        ...{ lines: 1, created: 0, changed: 0, unchanged: 0, failed: 0 },
      },
    ])
  })

  it('two loads of the same at once are one', async () => {
    const all = lines(...Array.from({ length: 300 }, (_, n) => ({ id: 20_300 - n, name: `N${n}` })))
    const both = await Promise.all([load(all), load(all)])
    const sums = both.map(({ said }) => sumOf(said))
    expect(sums.map(({ created }) => created).sort((a, b) => a - b)).toEqual([0, 300])
    expect(sums.map(({ unchanged }) => unchanged).sort((a, b) => a - b)).toEqual([0, 300])
  })

  test.each([
    ['nothing at all', ''],
    ['empty lines', '\n \n\r\n'],
  ])('%s is a load of no lines', async (_, body) => {
    const { said } = await load(body)
    expect(sumOf(said)).toMatchObject({ done: true, lines: 0 })
  })
})
