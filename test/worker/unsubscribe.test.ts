import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startAfresh } from './link.ts'
import {
  bodyOf,
  configure,
  handOver,
  mailer,
  owed,
  Post,
  refusedSoFar,
  until,
} from './mail-post.ts'
import { worker } from './subscriber.ts'

let resend: Post

beforeEach(() => {
  configure({ sends: true })
  resend = new Post()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const customer = (order: number) =>
  owed(order, 'Ada@example.com', { body: bodyOf('customer', order) })

/** The address that a mail to a customer carries in its header. */
async function linkOfAMail(): Promise<string> {
  await handOver([customer(1)], 'sent')
  const headers = resend.mails[0]?.headers ?? {}
  expect(headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
  return /^<(https:[^>]+)>$/.exec(headers['List-Unsubscribe'] ?? '')?.[1] ?? ''
}

const shutOut = async () => (await mailer().suppressions(10, null, null)).suppressions
const oneClick = () => new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })

function multipart(): FormData {
  const form = new FormData()
  form.append('List-Unsubscribe', 'One-Click')
  return form
}

describe('the link of a mail to a customer', () => {
  it('opens a page that changes nothing, and tells no more than a masked address', async () => {
    const link = await linkOfAMail()
    for (let time = 1; time <= 2; time++) {
      const response = await worker.fetch(link)
      expect(response.status).toBe(200)
      const page = await response.text()
      expect(page).toContain('<form method="post">')
      expect(page).toContain('name="List-Unsubscribe" value="One-Click"')
      expect(page).toContain('a•••@e•••.com')
      // Its nonce is random, and may spell anything.
      const told = page.replaceAll(/nonce="[\w-]{36}"/g, '')
      expect(told).not.toMatch(/ada|<script|https?:/i)
    }
    expect(await shutOut()).toEqual([])
  })

  it('is answered under a policy that runs and loads nothing, and is kept nowhere', async () => {
    const { headers } = await worker.fetch(await linkOfAMail())
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; style-src 'nonce-[\w-]{36}'; form-action 'self';/)
    expect(policy).not.toContain('script-src')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })

  it.each([
    ['as a form', oneClick],
    ['as a multipart form', multipart],
  ])('unsubscribes with one POST %s, without a redirect, however often', async (_, form) => {
    const link = await linkOfAMail()
    for (let time = 1; time <= 2; time++) {
      const response = await worker.fetch(link, {
        method: 'POST',
        body: form(),
        redirect: 'manual',
      })
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('You are unsubscribed')
    }
    expect(await shutOut()).toMatchObject([{ mailbox: 'ada@example.com', reason: 'unsubscribed' }])
    await handOver([customer(2)], 'suppressed')
    await mailer().enqueue([owed(3, 'ada@example.com')])
    await until('sent', 2)
    expect(resend.mails).toHaveLength(2)
  })

  it.each([
    ['nothing', undefined],
    ['an empty form', new URLSearchParams()],
    ['another form', new URLSearchParams({ 'List-Unsubscribe': 'No' })],
    ['JSON', '{"List-Unsubscribe":"One-Click"}'],
    ['something huge', new URLSearchParams({ 'List-Unsubscribe': 'x'.repeat(10_000) })],
    ['bytes', new Uint8Array([0, 1, 2])],
  ])('P60 stays as it is after a POST of %s, and asks again', async (_, body) => {
    const response = await worker.fetch(await linkOfAMail(), {
      method: 'POST',
      ...(body !== undefined && { body }),
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/Nothing was changed[\s\S]*<button/)
    expect(await shutOut()).toEqual([])
  })
})

describe('a link that no mail carries', () => {
  it.each(['x', 'A'.repeat(22), 'A'.repeat(500), '%00', '..%2f..', '<script>', "' OR 1=1"])(
    'P60 /%s is a page that says so, to whoever asks how',
    async (token) => {
      for (const init of [{}, { method: 'POST', body: oneClick() }]) {
        const response = await worker.fetch(`https://belfry.test/api/unsubscribe/${token}`, init)
        expect(response.status).toBe(404)
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
        const page = await response.text()
        expect(page).toContain('This link is not known')
        expect(page).not.toContain('<form')
      }
      expect(await shutOut()).toEqual([])
    },
  )

  it('P60 is counted like any other refusal, and so is a form that is not ours', async () => {
    const link = await linkOfAMail()
    const before = [await refusedSoFar('not_found'), await refusedSoFar('invalid_body')] as const
    await worker.fetch('https://belfry.test/api/unsubscribe/x')
    await worker.fetch('https://belfry.test/api/unsubscribe/x', { method: 'POST' })
    await worker.fetch(link, { method: 'POST' })
    expect(await refusedSoFar('not_found')).toBe(before[0] + 2)
    expect(await refusedSoFar('invalid_body')).toBe(before[1] + 1)
  })

  it('P60 takes no other method', async () => {
    const response = await worker.fetch(await linkOfAMail(), { method: 'DELETE' })
    expect(response.status).toBe(405)
    expect(await shutOut()).toEqual([])
  })
})

it('a mail to staff carries no link', async () => {
  await handOver([owed(1)], 'sent')
  expect(resend.mails[0]?.headers ?? {}).not.toHaveProperty('List-Unsubscribe')
})
