import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ready, style, uniqueName } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(async () => {
  await refuse([])
  expect(belfry.uncaught()).toEqual([])
})

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const overflowOfDialog =
  '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector("dialog"))'
const phone = { viewport: { width: 390, height: 844 } }

describe('the mail page', { timeout: TEST_MS }, () => {
  test('shows a mail as soon as an order is filled, and that it arrived, without a reload', async () => {
    const order = await insertOrder('pending')
    const page = await belfry.open(`/mail?order=${order.id}`)
    await page.getByText('No mail matches').waitFor()
    await page.evaluate('window.notReloaded = true')

    await belfry.sql(`update orders set status = 'FILLED' where id = ${order.id}`)
    await pill(row(page, order.email), 'delivered').waitFor()
    await row(page, order.email).getByText('order-filled').waitFor()
    await count(page, '2 of').waitFor()
    expect(await page.evaluate('window.notReloaded')).toBe(true)

    await row(page, order.email)
      .getByRole('link', { name: `#${order.id}` })
      .click()
    await ready(page)
    await page.locator(`tr[data-order="${order.id}"]`).waitFor()
    expect(await page.locator('tr[data-order]').count()).toBe(1)
    await page.keyboard.press('m')
    await row(page, order.email).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: `Mails about order ${order.id}` }).click()
    await count(page, '2 of').waitFor()
    expect(await page.evaluate('window.notReloaded')).toBe(true)

    await page.keyboard.press('/')
    await page.keyboard.type(order.email.toUpperCase())
    await page.keyboard.press('Enter')
    await count(page, '1 of').waitFor()
    await page.goBack()
    await count(page, '2 of').waitFor()
    expect(await page.getByLabel(/Find by/).inputValue()).toBe(`#${order.id}`)
  })

  test('tells why one is parked, and how it fares once it is tried again', async () => {
    const order = await insertParked()
    const page = await belfry.open('/')
    await ready(page)
    await page.getByRole('link', { name: 'Show them' }).click()
    await page.locator('[data-group=stuck][data-chosen]').waitFor()
    await row(page, order.email).getByRole('link', { name: order.email }).click()

    const dialog = page.getByRole('dialog', { name: order.email })
    await dialog.locator('[data-test=last-error]', { hasText: /422|valid/ }).waitFor()
    await happened(dialog, 'Queued', 'Attempt', 'Parked for a person').waitFor()
    await dialog
      .locator('[data-test=subject]', { hasText: `Order ${order.id} is filled` })
      .waitFor()
    const frame = dialog.locator('iframe')
    expect(await frame.getAttribute('sandbox')).toBe('allow-same-origin')
    await frame.contentFrame().getByText(order.customer, { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Text' }).click()
    await dialog.locator('pre', { hasText: order.customer }).waitFor()

    // The address of the page tells which mail is open.
    await page.reload()
    await dialog.waitFor()
    await refuse([])
    await dialog.getByRole('button', { name: 'Try again' }).click()
    await pill(dialog.locator('[data-test=mail-state]'), 'delivered').waitFor()
    await happened(dialog, 'Tried again by a person', 'Delivered').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(new URL(page.url()).search).toBe('?state=unknown%2Cparked')
    await row(page, order.email).waitFor({ state: 'detached' })
  })

  test('tries a filtered set again: counted first, and only when a person says so', async () => {
    const order = await insertParked()
    const page = await belfry.open(`/mail?state=parked&order=${order.id}`)
    await pill(row(page, order.email), 'parked').waitFor()
    await refuse([])

    const open = () => page.getByRole('button', { name: 'Try again…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Try mails again' })
    const counted = dialog.locator('[data-test=dry-run]', {
      hasText: '1 mail would be tried again',
    })
    await open()
    await counted.waitFor()
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await pill(row(page, order.email), 'parked').waitFor()

    await open()
    await counted.waitFor()
    await dialog.getByRole('button', { name: 'Try it again' }).click()
    await page.getByText('1 mail is tried again').waitFor()
    await page.getByText('No mail matches').waitFor()
    await page.goto(new URL(`/mail?order=${order.id}`, belfry.url).href)
    await pill(row(page, order.email), 'delivered').waitFor()
  })

  test('shows the rules, which can be switched, and what each template looks like', async () => {
    const name = uniqueName().replaceAll(' ', '-')
    await belfry.sql(
      `insert into rules (name, channel, "table", ops, "when", template, category, recipients)
       values ('${name}', 'mail', 'orders', '{update}', '{"status": {"became": ["completed"]}}',
               'order-status', 'orders', '[{"address": "desk@belfry.test"}]')`,
    )
    try {
      const page = await belfry.open('/mail?show=rules')
      const rule = page.locator(`[data-rule="${name}"]`)
      await rule.getByText('a row of orders is updated, and status becomes completed').waitFor()
      await rule.getByRole('switch', { checked: true }).click()
      await rule.getByRole('switch', { checked: false }).waitFor()
      const [stored] = await belfry.sql(`select enabled from rules where name = '${name}'`)
      expect(stored).toEqual({ enabled: false })

      // P99: somebody else switches it meanwhile; what they did is shown and not undone.
      await belfry.sql(`update rules set enabled = true where name = '${name}'`)
      await rule.getByRole('switch', { checked: false }).click()
      await page.locator('.notice', { hasText: 'It has changed since you read it' }).waitFor()
      await rule.getByRole('switch', { checked: true }).waitFor()

      await rule.getByRole('link', { name: 'order-status' }).click()
      await page
        .getByRole('link', { name: /order-filled/ })
        .first()
        .waitFor()
      const letter = page.frameLocator('iframe')
      await letter.getByText(/order/i).first().waitFor()
      const background = () => style(letter.locator('body'), 'background-color')
      const light = await background()
      await page.getByRole('button', { name: 'Show it as in a dark mailbox' }).click()
      await page.locator('.letter[data-look=dark]').waitFor()
      await expect.poll(background).not.toBe(light)
    } finally {
      await belfry.sql(`delete from rules where name = '${name}'`)
    }
  })

  test('P106 shows a letter with its styles, and lets it do nothing', async () => {
    const page = await belfry.open('/docs/problems')
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    const html = `<!doctype html><style>p { margin: 7px }</style><p style="color: rgb(1, 2, 3)">Filled</p>
      <script>top.document.title = 'run'</script><meta http-equiv="refresh" content="0;url=/docs">
      <img src="https://elsewhere.test/seen.png" onerror="top.document.title = 'run'">
      <form action="https://elsewhere.test/form"><button>Send</button></form>
      <a href="javascript:top.document.title = 'run'">Run</a><a target="_top" href="/docs">Leave</a>`
    await page.route('**/preview?*', (route) =>
      route.fulfill({ json: { subject: 'Filled', text: 'Filled', html } }),
    )
    await page.goto(new URL('/mail?show=templates', belfry.url).href)
    const letter = page.frameLocator('iframe')
    const text = letter.getByText('Filled')
    expect(await style(text, 'color')).toBe('rgb(1, 2, 3)')
    expect(await style(text, 'margin-top')).toBe('7px')
    for (const name of ['Run', 'Leave', 'Send']) await letter.getByText(name).click()
    expect(await page.title()).toBe('Mail · Belfry')
    expect(new URL(page.url()).pathname).toBe('/mail')
    // What it tried is told in the console.
    expect(belfry.uncaught().join()).toMatch(/elsewhere\.test\/seen\.png/)
    expect(asked.filter((url) => url.startsWith('https:') && !url.endsWith('.png'))).toEqual([])
  })

  test('fits a phone', async () => {
    const order = await insertOrder(
      'filled',
      `${'long'.repeat(15)}@${'host'.repeat(12)}.${Date.now()}.test`,
    )
    const page = await belfry.open('/mail', phone)
    await pill(row(page, order.email), 'delivered').waitFor()
    expect(await page.evaluate(overflow)).toBe(0)
    await row(page, order.email).getByRole('link', { name: order.email }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('iframe').waitFor()
    expect(await page.evaluate(overflow)).toBe(0)
    expect(await page.evaluate(overflowOfDialog)).toBe(0)
    for (const [show, there] of [
      ['rules', '.rule'],
      ['templates', 'iframe'],
    ]) {
      await page.goto(new URL(`/mail?show=${show}`, belfry.url).href)
      await page.locator(String(there)).first().waitFor()
      expect(await page.evaluate(overflow), show).toBe(0)
    }
  })
})

function row(page: Page, recipient: string): Locator {
  return page.locator('tr[data-mail-row]', { hasText: recipient })
}

function count(page: Page, text: string): Locator {
  return page.locator('[data-test=mail-count]', { hasText: text })
}

function pill(within: Locator, state: string): Locator {
  return within.locator('.pill', { hasText: state })
}

/** A history in which these words follow one another, whatever else stands between them. */
function happened(dialog: Locator, ...words: string[]): Locator {
  return dialog.locator('[data-test=history]', { hasText: new RegExp(words.join('.*'), 's') })
}

/** An order of this test's own, for a customer with an address of its own. */
async function insertOrder(
  status: string,
  email = `${uniqueName().replace(' ', '.')}@customer.test`,
) {
  const customer = uniqueName()
  const recipient = email.toLowerCase()
  const [inserted] = await belfry.sql(
    `insert into orders (customer_name, product_name, status, amount, customer_email)
     values ('${customer}', 'Hand bell', '${status}', 10, '${recipient}') returning id`,
  )
  return { id: Number(inserted?.id), customer, email: recipient }
}

async function insertParked() {
  const email = `${uniqueName().replace(' ', '.')}@refused.test`.toLowerCase()
  await refuse([email])
  const order = await insertOrder('filled', email)
  await expect
    .poll(
      async () => {
        const answer = await belfry.ask(`/api/emails?state=parked&order=${order.id}`)
        return ((await answer.json()) as { emails: unknown[] }).emails.length
      },
      { timeout: 10_000, interval: 50 },
    )
    .toBe(1)
  return order
}

/** The stand-in for Resend answers 422 for these. */
async function refuse(recipients: string[]): Promise<void> {
  const answer = await fetch(`${belfry.mailboxUrl}/switches`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refuse: recipients }),
  })
  expect(answer.status).toBe(200)
}
