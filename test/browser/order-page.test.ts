import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entries, insertOrder, ready, row, uniqueName } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe('the page of an order', { timeout: TEST_MS }, () => {
  test('P104 tells its life as it is lived: who made each version, who was told, by which mail', async () => {
    const customer = `${'Longname'.repeat(12)} ${uniqueName()}`
    const email = `${uniqueName().replace(' ', '.')}@${'host'.repeat(12)}.test`.toLowerCase()
    const { id, request } = await create({ customer_name: customer, customer_email: email })
    const page = await belfry.open(`/orders/${id}`)
    const created = chapter(page, 1)
    await created.getByText('Created').waitFor()
    await created.getByText('by operator').waitFor()
    await created.locator('code', { hasText: request }).waitFor()

    await belfry.sql(`update orders set amount = 11 where id = ${id}`)
    await chapter(page, 2).getByText('by SQL').waitFor()
    await page.locator('.order-amount', { hasText: '11.00' }).waitFor()
    await patch(id, 2, { status: 'filled' })
    const filled = chapter(page, 3)
    await filled.locator('del', { hasText: 'pending' }).waitFor()
    await filled.locator('ins', { hasText: 'filled' }).waitFor()
    expect(await page.locator('.chapter').count()).toBe(3)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate(overflow)).toBe(0)

    // The mail stands beside the version that owes it, and moves on.
    const told = filled.locator('[data-told=mail]', { hasText: email })
    await told.locator('.pill', { hasText: 'delivered' }).waitFor()
    await told.getByRole('link', { name: email }).click()
    await page.getByRole('dialog', { name: email }).waitFor()
    await page.goBack()
    await filled.waitFor()

    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('button', { name: 'Delete order' }).click()
    await page.locator('.order-facts[data-gone]', { hasText: customer }).waitFor()
    await page.locator('.chapter[data-version=deleted]').getByText('by token:local').waitFor()
    expect(await page.locator('.chapter').count()).toBe(4)
  })

  test('is found from its row and from the log, and left by going back', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await row(page, id)
      .getByRole('link', { name: `Order ${id} and its life` })
      .click()
    await page.getByRole('heading', { name: `Order #${id}` }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`/orders/${id}`)
    expect(await page.title()).toBe(`Order #${id} · Belfry`)
    await page.goBack()
    await entries(page, id).getByRole('link').click()
    await chapter(page, 1).getByText('by SQL').waitFor()
    await page.reload()
    await chapter(page, 1).waitFor()
  })
})

function chapter(page: Page, version: number): Locator {
  return page.locator(`.chapter[data-version="${version}"]`)
}

async function create(fields: object): Promise<{ id: number; request: string }> {
  const answer = await belfry.ask('/api/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ product_name: 'Hand bell', amount: 10, ...fields }),
  })
  const { id } = (await answer.json()) as { id: number }
  return { id, request: String(answer.headers.get('x-request-id')) }
}

async function patch(id: number, version: number, fields: object): Promise<void> {
  const answer = await belfry.ask(`/api/orders/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'if-match': `"${version}"` },
    body: JSON.stringify(fields),
  })
  expect(answer.status).toBe(200)
}
