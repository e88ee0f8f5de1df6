import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resend } from 'resend'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import type { LocalServer } from '../../dev/local-http.ts'
import type { Mail } from '../../dev/mail-store.ts'
import { type Behaviour, type MailboxPlan, serveMailbox } from '../../dev/mailbox.ts'

const mail = {
  from: 'Belfry <a@belfry.test>',
  to: 'b@belfry.test',
  subject: 'Filled',
  text: 'Yes.',
}

const PATIENCE = { timeout: 4_000 }

let folder: string
let server: LocalServer
let resend: Resend

async function serve(plan: Partial<MailboxPlan> = {}) {
  server = await serveMailbox({ file: join(folder, 'mails.jsonl'), port: 0, ...plan })
  resend = new Resend('re_test', { baseUrl: server.url })
}
const mails = async () => (await fetch(`${server.url}/mails`)).json() as Promise<Mail[]>
async function switchTo(switches: object): Promise<{ status: number; body: Behaviour }> {
  const body = JSON.stringify(switches)
  const response = await fetch(`${server.url}/switches`, { method: 'PUT', body })
  return { status: response.status, body: (await response.json()) as Behaviour }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belfry-mails-'))
  await serve()
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

describe('an idempotency key, through the real client', () => {
  it('P51 sends one mail and gets one answer, after a restart and without its mail too', async () => {
    const first = await resend.emails.send(mail, { idempotencyKey: 'one' })
    expect(first.data?.id).toMatch(/^[0-9a-f-]{36}$/)
    await server.close()
    await serve()
    const again = await resend.emails.send(mail, { idempotencyKey: 'one' })
    expect(again.data).toEqual(first.data)
    expect(await mails()).toMatchObject([{ to: ['b@belfry.test'], subject: 'Filled' }])

    await fetch(`${server.url}/mails`, { method: 'DELETE' })
    await server.close()
    await serve()
    expect((await resend.emails.send(mail, { idempotencyKey: 'one' })).data).toEqual(first.data)
    expect(await mails()).toEqual([])
  })

  it('P51 sends a batch once, whole, and answers what was refused in it again', async () => {
    const batch = [mail, { ...mail, to: 'nobody' }, { ...mail, subject: 'Third' }]
    const options = { idempotencyKey: 'three', batchValidation: 'permissive' as const }
    const first = await resend.batch.send(batch, options)
    await server.close()
    await serve()
    expect((await resend.batch.send(batch, options)).data).toEqual(first.data)
    expect(await mails()).toHaveLength(2)
  })

  it('is refused with another body, and when it is too long', async () => {
    await resend.emails.send(mail, { idempotencyKey: 'one' })
    const other = await resend.emails.send({ ...mail, text: 'No.' }, { idempotencyKey: 'one' })
    expect(other.error).toMatchObject({ statusCode: 409, name: 'invalid_idempotent_request' })
    const long = await resend.emails.send(mail, { idempotencyKey: 'k'.repeat(257) })
    expect(long.error).toMatchObject({ statusCode: 400, name: 'invalid_idempotency_key' })
    expect(await mails()).toHaveLength(1)
  })

  it('is refused while the first request with it is being worked on', async () => {
    await switchTo({ provider: 'slow', slow_ms: 200 })
    const send = () => resend.emails.send(mail, { idempotencyKey: 'one' })
    const answers = await Promise.all([send(), send()])
    expect(answers.map(({ error }) => error?.name)).toContain('concurrent_idempotent_requests')
    expect(answers.filter(({ data }) => data)).toHaveLength(1)
    expect(await mails()).toHaveLength(1)
  })
})

describe('a mail', () => {
  it.each([
    ['an address that is none', { to: 'nobody' }, 'Invalid `to` field'],
    ['a list as one address', { to: 'a@belfry.test, b@belfry.test' }, 'Invalid `to` field'],
    ['no recipient', { to: [] }, 'Invalid `to` field'],
    ['51 recipients', { to: Array(51).fill('a@belfry.test') }, 'Invalid `to` field'],
    ['a sender that is none', { from: 'Belfry' }, 'Invalid `from` field'],
    ['a line break in its subject', { subject: 'a\nBcc: x@belfry.test' }, '`\\n` is not allowed'],
    ['a tag with a dot', { tags: [{ name: 'a', value: 'b.c' }] }, 'Tags should only contain ASCII'],
    ['76 tags', { tags: Array(76).fill({ name: 'a', value: 'b' }) }, 'Tags should only'],
    ['a header over two lines', { headers: { 'X-A': 'a\r\nBcc: x@y.test' } }, 'Invalid `headers`'],
    ['no text', { text: undefined }, 'Missing `html` or `text` field'],
  ])('with %s is refused with 422', async (_, fault, message) => {
    const { error } = await resend.emails.send({ ...mail, ...fault } as typeof mail)
    expect(error).toMatchObject({ statusCode: 422, message: expect.stringContaining(message) })
    expect(await mails()).toEqual([])
  })

  it('keeps its tags and headers', async () => {
    const more = {
      tags: [{ name: 'delivery', value: 'a-1_b' }],
      headers: { 'List-Unsubscribe': '<https://belfry.test/u/1>' },
    }
    await resend.emails.send({ ...mail, ...more })
    expect(await mails()).toMatchObject([more])
  })

  it('with a key that is none is refused with 401', async () => {
    const stranger = new Resend('stranger', { baseUrl: server.url })
    expect((await stranger.emails.send(mail)).error).toMatchObject({ statusCode: 401 })
  })

  it('can be looked up as Resend has it', async () => {
    await switchTo({ bounce: ['B@belfry.test'], requests_per_second: null })
    const { data } = await resend.emails.send(mail)
    const found = async () => (await resend.emails.get(data?.id ?? '')).data
    expect(await found()).toMatchObject({ to: ['b@belfry.test'], last_event: 'sent' })
    await expect.poll(found, PATIENCE).toMatchObject({ last_event: 'bounced' })
    expect((await resend.emails.get('none')).error).toMatchObject({ statusCode: 404 })
  })
})

describe('a batch', () => {
  const batch = [mail, { ...mail, to: 'nobody' }, mail]

  it('goes whole or not at all', async () => {
    const { error } = await resend.batch.send(batch)
    expect(error).toMatchObject({ statusCode: 422, name: 'validation_error' })
    expect(await mails()).toEqual([])
    const { data } = await resend.batch.send([mail, mail])
    expect(data?.data).toHaveLength(2)
  })

  it('when permissive, goes without those that are refused, which are named', async () => {
    const { data } = await resend.batch.send(batch, { batchValidation: 'permissive' })
    expect(data).toEqual({
      data: [{ id: expect.any(String) }, { id: expect.any(String) }],
      errors: [{ index: 1, message: expect.stringContaining('Invalid `to` field') }],
    })
    expect(await mails()).toHaveLength(2)
  })

  it('has 1 to 100 mails', async () => {
    for (const count of [0, 101]) {
      const { error } = await resend.batch.send(Array(count).fill(mail))
      expect(error).toMatchObject({ statusCode: 422 })
    }
  })
})

describe('the limits', () => {
  it('are so many requests a second, told in headers', async () => {
    await switchTo({ requests_per_second: 2 })
    const answers = [await resend.emails.send(mail), await resend.emails.send(mail)]
    expect(answers.map(({ headers }) => headers?.['ratelimit-remaining'])).toEqual(['1', '0'])
    const third = await resend.emails.send(mail)
    expect(third.error).toMatchObject({ statusCode: 429, name: 'rate_limit_exceeded' })
    expect(third.headers).toMatchObject({ 'ratelimit-limit': '2', 'retry-after': '1' })
    expect(await mails()).toHaveLength(2)
  })

  it('are so many mails a day, in batches too; a repetition is none of them', async () => {
    await switchTo({ daily_quota: 2 })
    await resend.emails.send(mail, { idempotencyKey: 'one' })
    const both = await resend.batch.send([mail, mail])
    expect(both.error).toMatchObject({ statusCode: 429, name: 'daily_quota_exceeded' })
    await resend.emails.send(mail)
    expect((await resend.emails.send(mail, { idempotencyKey: 'one' })).error).toBeNull()
    expect((await resend.emails.send(mail)).error).toMatchObject({ name: 'daily_quota_exceeded' })
  })
})

describe('the switches', () => {
  test('down: the connection is reset, and nothing is taken', async () => {
    await switchTo({ provider: 'down' })
    const { error } = await resend.emails.send(mail)
    expect(error).toMatchObject({ statusCode: null, name: 'application_error' })
    expect(await mails()).toEqual([])
  })

  test('failing: 500, and nothing is taken', async () => {
    await switchTo({ provider: 'failing' })
    const { error } = await resend.emails.send(mail)
    expect(error).toMatchObject({ statusCode: 500, name: 'internal_server_error' })
    expect(await mails()).toEqual([])
  })

  test('too-many: 429 with the time to wait, and nothing is taken', async () => {
    await switchTo({ provider: 'too-many' })
    const { error, headers } = await resend.emails.send(mail)
    expect(error).toMatchObject({ statusCode: 429, name: 'rate_limit_exceeded' })
    expect(headers).toMatchObject({ 'ratelimit-remaining': '0', 'retry-after': '1' })
    expect(await mails()).toEqual([])
  })

  test('slow: who hangs up meanwhile does not take the mail back', async () => {
    await switchTo({ provider: 'slow', slow_ms: 100 })
    const signal = AbortSignal.timeout(20)
    const hungUp = await resend.emails.send(mail, { idempotencyKey: 'one', signal })
    expect(hungUp.error).toMatchObject({ statusCode: null })
    await expect.poll(mails, PATIENCE).toHaveLength(1)
  })

  test('accept-then-hang: the mail is taken, and the same request gets its answer later', async () => {
    await switchTo({ provider: 'accept-then-hang' })
    const options = { idempotencyKey: 'one' }
    const signal = AbortSignal.timeout(100)
    const hung = await resend.emails.send(mail, { ...options, signal })
    expect(hung.error).toMatchObject({ statusCode: null })
    const [taken] = await mails()
    await switchTo({})
    expect((await resend.emails.send(mail, options)).data).toEqual({ id: taken?.id })
    expect(await mails()).toHaveLength(1)
  })

  test('refuse: addresses and whole domains are refused as Resend refuses example.com', async () => {
    await switchTo({ refuse: ['@Example.com', 'b@belfry.test'] })
    for (const to of ['Ada <ada@example.com>', 'b@belfry.test']) {
      const { error } = await resend.emails.send({ ...mail, to })
      expect(error).toMatchObject({ statusCode: 422, name: 'validation_error' })
    }
    expect((await resend.emails.send({ ...mail, to: 'c@belfry.test' })).error).toBeNull()
  })

  test('are normal again after a restart, and with {}; what is not normal is told', async () => {
    const { body } = await switchTo({ provider: 'down', bounce: [' A@belfry.test'] })
    expect(body).toMatchObject({
      switches: { provider: 'down', bounce: ['a@belfry.test'], webhooks: 'on' },
      abnormal: [expect.stringContaining('down'), expect.stringContaining('a@belfry.test')],
    })
    expect((await switchTo({})).body.abnormal).toEqual([])
    await switchTo({ webhooks: 'off' })
    await server.close()
    await serve()
    expect(await (await fetch(`${server.url}/switches`)).json()).toMatchObject({ abnormal: [] })
  })

  it.each([
    [{ provider: 'broken' }],
    [{ providr: 'down' }],
    [{ slow_ms: -1 }],
    [{ requests_per_second: 0 }],
    [{ bounce: 'a@belfry.test' }],
    [{ refuse: ['belfry.test'] }],
    [[]],
    [null],
  ])('refuse %j in words, and stay as they are', async (switches) => {
    await switchTo({ provider: 'failing' })
    expect(await switchTo(switches as object)).toEqual({
      status: 422,
      body: { message: expect.stringContaining('GET /switches') },
    })
    expect(await (await fetch(`${server.url}/switches`)).json()).toMatchObject({
      switches: { provider: 'failing' },
    })
  })
})
