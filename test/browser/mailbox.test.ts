import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { LocalServer } from '../../dev/local-http.ts'
import { type Behaviour, serveMailbox } from '../../dev/mailbox.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

/** The mailbox page before a stand-in of its own, so that nobody else's mail is in the way. */
let belfry: Fixture
let mailbox: LocalServer
const folder = mkdtempSync(join(tmpdir(), 'belfry-mailbox-page-'))

beforeAll(async () => {
  belfry = await openFixture()
  mailbox = await serveMailbox({ file: join(folder, 'mails.jsonl'), port: 0 })
}, TEST_MS)
afterAll(async () => {
  await belfry?.close()
  await mailbox?.close()
  rmSync(folder, { recursive: true })
})
afterEach(() => expect(belfry.uncaught()).toEqual([]))

async function send(mail: object): Promise<void> {
  const response = await fetch(`${mailbox.url}/emails`, {
    method: 'POST',
    headers: { authorization: 'Bearer re_page' },
    body: JSON.stringify({ from: 'a@belfry.test', subject: 'Filled', text: 'Yes.', ...mail }),
  })
  expect(response.status).toBe(200)
}

test(
  'a mail arrives live, and tells what became of it and how to unsubscribe',
  async () => {
    const page = await belfry.open(mailbox.url)
    await page.getByText('No mail yet').waitFor()
    const url = 'https://belfry.test/api/unsubscribe/abc'
    await send({
      to: 'bounced@resend.dev',
      html: '<p>Hello <script>document.title = "run"</script></p>',
      headers: { 'List-Unsubscribe': `<${url}>` },
      tags: [{ name: 'delivery', value: 'a-1' }],
    })
    const entry = page.locator('#list a', { hasText: 'bounced@resend.dev' })
    await entry.locator('.fate.bounced').waitFor()
    await entry.click()
    await page.locator('#facts .fate.bounced').waitFor()
    expect(await page.getByRole('link', { name: url }).getAttribute('href')).toBe(url)
    await page.getByText('Details').click()
    await page.getByText('delivery=a-1').waitFor()
    expect(await page.title()).toBe('Mailbox · Belfry')
  },
  TEST_MS,
)

test(
  'a switch takes effect at once, on each page that is open, until all is normal',
  async () => {
    const page = await belfry.open(mailbox.url)
    const other = await belfry.open(mailbox.url, { viewport: { width: 375, height: 740 } })
    await page.getByRole('button', { name: 'Switches' }).click()
    await page.getByLabel('down', { exact: true }).check()
    await page.getByLabel('Mails to these bounce').fill('ada@belfry.test')
    await page.getByLabel('Mails to these bounce').press('Enter')
    for (const each of [page, other])
      await each.getByText('Resend is down: every connection is reset. Mails to ada').waitFor()
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await other.evaluate(overflow)).toBe(0)
    const response = await fetch(`${mailbox.url}/switches`)
    expect(((await response.json()) as Behaviour).switches).toMatchObject({
      provider: 'down',
      bounce: ['ada@belfry.test'],
    })

    await other.getByRole('button', { name: 'Back to normal' }).click()
    await page.locator('#abnormal').waitFor({ state: 'hidden' })
    expect(await page.getByLabel('up', { exact: true }).isChecked()).toBe(true)
  },
  TEST_MS,
)
