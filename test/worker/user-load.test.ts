import { describe, expect, test } from 'vitest'
import { AdminDoors } from './admin-doors.ts'

/** A load of users where the database has no part in it, or fails. The rest is in test/postgres. */
const world = new AdminDoors()

const load = (body: string | undefined, type = 'application/x-ndjson') =>
  world.ask('POST', '/api/users/load', body, { 'content-type': type })
const said = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('POST /api/users/load', () => {
  test('P60 refuses what is not lines of JSON by its header, or nothing', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', ''])
      expect(await load('{"id":1}', type)).toMatchObject({
        status: 415,
        body: { code: 'unsupported_media_type', detail: expect.stringContaining('x-ndjson') },
      })
    expect(await load(undefined)).toMatchObject({ status: 400, body: { code: 'invalid_body' } })
    expect(world.statements).toEqual([])
  })

  test('P88 ends where the database fails for good, and says what to do', async () => {
    world.answer = () => Response.json({ message: 'inner words', code: '42P01' }, { status: 400 })
    const { status, text } = await load('{"id":1,"name":"Ada"}\nbroken\n{"id":2,"name":"Eve"}\n')
    expect(status).toBe(200)
    expect(said(text)).toEqual([
      { line: 2, message: expect.stringContaining('not a JSON object') },
      {
        done: false,
        message: expect.stringMatching(/npm run migrate.* load the same again/),
        ...{ lines: 3, created: 0, changed: 0, unchanged: 0, failed: 1 },
      },
    ])
    expect(world.statements).toHaveLength(1)
  })

  test('P88 writes a batch a second time that may pass then', async () => {
    const refused = Response.json({ message: 'deadlock', code: '40P01' }, { status: 400 })
    const taken = Response.json({
      results: [
        rowOf({}),
        rowOf({ last_value: [20, '1'] }),
        rowOf({ created: [23, '1'] }),
        rowOf({ changed: [23, '0'], missing: [114, '[]'] }),
      ],
    })
    world.answer = () => (world.statements.length === 1 ? refused : taken)
    const { text } = await load('{"id":1,"name":"Ada"}')
    expect(said(text).at(-1)).toMatchObject({ done: true, lines: 1, created: 1 })
    expect(world.statements).toHaveLength(2)
    expect(world.statements[1]).toBe(world.statements[0])
  })
})

/** @param columns name → number of its type, and its value as text */
function rowOf(columns: Record<string, [type: number, value: string]>) {
  const fields = Object.entries(columns).map(([name, [dataTypeID]]) => ({ name, dataTypeID }))
  const row = Object.values(columns).map(([, value]) => value)
  return { fields, rows: [row], command: 'SELECT', rowCount: 1 }
}
