import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resend } from 'resend'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveMailbox } from '../../dev/mailbox.ts'
import { freePort } from '../support/belfry.ts'

const mail = {
  from: 'Belfry <a@belfry.test>',
  to: 'b@belfry.test',
  subject: 'Filled',
  text: 'Yes.',
}

describe('the stand-in, through the real client', () => {
  let folder: string
  let server: Awaited<ReturnType<typeof serveMailbox>>
  let resend: Resend

  const serve = async () => {
    server = await serveMailbox(join(folder, 'mails.jsonl'), await freePort(), () => undefined)
    resend = new Resend('re_test', { baseUrl: server.url })
  }
  const mails = async () => (await fetch(`${server.url}/mails`)).json() as Promise<object[]>

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-mails-'))
    await serve()
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it('P51 sends one mail for one idempotency key, after a restart too', async () => {
    const first = await resend.emails.send(mail, { idempotencyKey: 'one' })
    await server.close()
    await serve()
    expect(await resend.emails.send(mail, { idempotencyKey: 'one' })).toMatchObject({
      data: first.data,
    })
    expect(await mails()).toMatchObject([{ to: ['b@belfry.test'], subject: 'Filled' }])
  })

  it('refuses another body under the same key, a bad address and a bad key', async () => {
    await resend.emails.send(mail, { idempotencyKey: 'one' })
    const other = await resend.emails.send({ ...mail, text: 'No.' }, { idempotencyKey: 'one' })
    expect(other.error).toMatchObject({ statusCode: 409 })
    const nobody = await resend.emails.send({ ...mail, to: 'nobody' })
    expect(nobody.error).toMatchObject({ statusCode: 422, name: 'validation_error' })
    const stranger = new Resend('stranger', { baseUrl: server.url })
    expect((await stranger.emails.send(mail)).error).toMatchObject({ statusCode: 401 })
    expect(await mails()).toHaveLength(1)
  })
})
