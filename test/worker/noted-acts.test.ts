import { createExecutionContext } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { app } from '../../worker/app.ts'
import { answerOfNotes } from '../support/database-of-rules.ts'
import { bindings, startAfresh } from './link.ts'

/** What was noted, as `action table key`; or a database that cannot be reached. */
let noted: string[]
let isDown: boolean
/** What it was about, as JSON. */
let changes: string[]

beforeEach(() => {
  noted = []
  changes = []
  isDown = false
  vi.spyOn(console, 'error').mockReturnValue()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    const body = String(init?.body)
    const answer = await answerOfNotes(body)
    if (isDown || !answer) throw new TypeError('fetch failed')
    const [, note] = JSON.parse(body).queries as { params: string[] }[]
    noted.push(note?.params.slice(0, 3).join(' ') ?? '')
    changes.push(note?.params[3] ?? '')
    return answer
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

async function ask(method: string, path: string, body?: object) {
  const request = new Request(`http://belfry.test/api${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bindings.ADMIN_TOKEN}`,
      'content-type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const response = await app.fetch(request, bindings, createExecutionContext())
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

const epoch = async () =>
  (await bindings.FEED.getByName('main').read(null, Number.MAX_SAFE_INTEGER)).epoch

describe('P104 an act on what is not in Postgres', () => {
  test.each<[method: string, path: string, body: object | undefined, expected: string]>([
    ['POST', '/emails/57/redrive', undefined, 'redrive mails 57'],
    ['POST', '/emails/57/cancel', undefined, 'cancel mails 57'],
    ['POST', '/emails/redrive', { filter: { state: 'parked' } }, 'redrive mails many'],
    ['PUT', '/mail-suppressions/Ada@example.com', {}, 'suppress mail_suppressions ada@example.com'],
    ['DELETE', '/mail-suppressions/a@b.de', undefined, 'unsuppress mail_suppressions a@b.de'],
    ['POST', '/admin/parked/mail/7/redrive', undefined, 'redrive parked_changes mail/7'],
    ['DELETE', '/admin/parked/mail/7', undefined, 'drop parked_changes mail/7'],
    ['POST', '/admin/feed/epoch', undefined, 'begin_epoch feed main'],
  ])('%s %s is noted, and without that it is not done', async (method, path, body, expected) => {
    await ask(method, path, body)
    expect(noted).toEqual([expected])
    isDown = true
    expect(await ask(method, path, body)).toMatchObject({
      status: 503,
      body: { code: 'database_unavailable' },
    })
  })

  test('is noted whatever it is asked of', async () => {
    await ask('POST', '/emails/redrive', { filter: { table: 'a\0', key: 'b\ud800' } })
    await ask('DELETE', `/admin/parked/${'x'.repeat(5_000)}%00/7`)
    const [redriven, dropped] = noted
    expect(redriven).toBe('redrive mails many')
    expect(dropped).toBe(`drop parked_changes ${'x'.repeat(500)}`)
    expect(changes[0]).toBe('{"filter":{"table":"a\ufffd","key":"b\ufffd"}}')
  })

  test('is not done when nobody could be told', async () => {
    const before = await epoch()
    isDown = true
    await ask('POST', '/admin/feed/epoch')
    await ask('PUT', '/mail-suppressions/ada@example.com', {})
    expect(await epoch()).toBe(before)
    expect((await ask('GET', '/mail-suppressions')).body.suppressions).toEqual([])
  })

  test('is not noted when it is only counted, or cannot be read', async () => {
    await ask('POST', '/emails/redrive', { filter: { state: 'parked' }, dry_run: true })
    await ask('POST', '/emails/redrive', { filter: {} })
    await ask('POST', '/emails/abc/cancel')
    await ask('PUT', '/mail-suppressions/nobody', {})
    await ask('DELETE', '/admin/parked/mail/nowhere')
    expect(noted).toEqual([])
  })
})
