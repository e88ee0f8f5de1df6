import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resend } from 'resend'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LocalServer } from '../../dev/local-http.ts'
import { serveMailbox } from '../../dev/mailbox.ts'
import type { SwitchesInput } from '../../dev/switches.ts'

const secret = `whsec_${Buffer.from('a secret of these tests').toString('base64')}`
const mail = { from: 'a@belfry.test', to: 'b@belfry.test', subject: 'Filled', text: 'Yes.' }

const PATIENCE = { timeout: 4_000 }

type Heard = { id: string; type: string; payload: { data: Record<string, unknown> } }

let folder: string
let server: LocalServer
let resend: Resend
let worker: Server
let heard: Heard[]
let refusals: number

/** The worker's door: verifies with the real client, and refuses as often as it is told to. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belfry-mails-'))
  heard = []
  refusals = 0
  worker = createServer(async (request, response) => {
    const body = (await request.toArray()).join('')
    const { headers } = request
    const payload = resend.webhooks.verify({
      payload: body,
      headers: {
        id: String(headers['svix-id']),
        timestamp: String(headers['svix-timestamp']),
        signature: String(headers['svix-signature']),
      },
      webhookSecret: secret,
    }) as unknown as Heard['payload'] & { type: string }
    const refused = refusals-- > 0
    if (!refused) heard.push({ id: String(headers['svix-id']), type: payload.type, payload })
    response.writeHead(refused ? 503 : 200).end()
  })
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve))
  await serve()
})
afterEach(async () => {
  await server.close()
  worker.closeAllConnections()
  worker.close()
  rmSync(folder, { recursive: true })
})

async function serve(switches: SwitchesInput = {}) {
  server = await serveMailbox({
    file: join(folder, 'mails.jsonl'),
    port: 0,
    webhooks: { url: `http://127.0.0.1:${(worker.address() as AddressInfo).port}`, secret },
    switches,
  })
  resend = new Resend('re_test', { baseUrl: server.url })
}
async function switchTo(switches: SwitchesInput) {
  await fetch(`${server.url}/switches`, { method: 'PUT', body: JSON.stringify(switches) })
}
const types = () => heard.map(({ type }) => type)

it.each([
  ['delivered+a@resend.dev', ['email.sent', 'email.delivered'], {}],
  [
    'bounced@resend.dev',
    ['email.sent', 'email.bounced'],
    { bounce: { type: 'Permanent', subType: 'General', message: expect.any(String) } },
  ],
  ['complained+b@resend.dev', ['email.sent', 'email.delivered', 'email.complained'], {}],
  [
    'suppressed@resend.dev',
    ['email.suppressed'],
    { suppressed: { type: 'OnAccountSuppressionList', message: expect.any(String) } },
  ],
])('a mail to %s is told as %j', async (to, expected, detail) => {
  const tags = [{ name: 'delivery', value: 'a-1' }]
  const { data } = await resend.emails.send({ ...mail, to, tags })
  await expect.poll(types, PATIENCE).toEqual(expected)
  expect(heard.at(-1)?.payload).toMatchObject({
    data: { email_id: data?.id, to: [to], subject: 'Filled', tags: { delivery: 'a-1' }, ...detail },
  })
  expect(new Set(heard.map(({ id }) => id)).size).toBe(expected.length)
})

it('what the worker does not take is sent again, under the same id, after a restart too', async () => {
  refusals = 1
  await resend.emails.send(mail)
  const report = async () => (await fetch(`${server.url}/switches`)).json()
  await expect.poll(report, PATIENCE).toMatchObject({
    webhooks: { last_error: expect.stringContaining('503') },
  })
  await server.close()
  await serve()
  await expect.poll(types, PATIENCE).toEqual(['email.sent', 'email.delivered'])
  await expect.poll(report, PATIENCE).toMatchObject({ webhooks: { waiting: 0, last_error: null } })
  await server.close()
  await serve()
  await resend.emails.send({ ...mail, to: 'suppressed@resend.dev' })
  await expect.poll(types, PATIENCE).toEqual(['email.sent', 'email.delivered', 'email.suppressed'])
})

it('switched off, webhooks are held back until they are on again', async () => {
  await switchTo({ webhooks: 'off' })
  await resend.emails.send({ ...mail, to: 'suppressed@resend.dev' })
  await resend.emails.send({ ...mail, to: 'suppressed@resend.dev' })
  expect(heard).toEqual([])
  await switchTo({})
  await expect.poll(types, PATIENCE).toEqual(['email.suppressed', 'email.suppressed'])
})

it('switched to repeated, each comes twice under one id', async () => {
  await switchTo({ webhooks: 'repeated' })
  await resend.emails.send({ ...mail, to: 'suppressed@resend.dev' })
  await expect.poll(types, PATIENCE).toEqual(['email.suppressed', 'email.suppressed'])
  expect(new Set(heard.map(({ id }) => id)).size).toBe(1)
})

it('switched to reordered, the last comes first', async () => {
  await switchTo({ webhooks: 'reordered' })
  await resend.emails.send({ ...mail, to: 'complained@resend.dev' })
  await expect.poll(types, PATIENCE).toEqual(['email.complained', 'email.delivered', 'email.sent'])
})
