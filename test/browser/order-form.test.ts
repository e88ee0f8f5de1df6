import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entries, insertOrder, ready, row, uniqueName } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

const dialog = (page: Page) => page.getByRole('dialog')
const wrong = (page: Page, field: string) => page.locator(`[data-field=${field}] [data-wrong]`)

describe('the order form', { timeout: TEST_MS }, () => {
  test('creates an order, which comes back as a change', async () => {
    const page = await belfry.open()
    await ready(page)
    const customer = `Form ${process.pid}`
    await page.getByRole('button', { name: 'New order' }).click()
    await dialog(page).getByLabel('Customer').fill(customer)
    await dialog(page).getByLabel('Product').fill('Clapper')
    await dialog(page).getByLabel('Amount').fill('120.50')
    await dialog(page).getByLabel('Status').selectOption('processing')
    await dialog(page).getByRole('button', { name: 'Create order' }).click()
    await dialog(page).waitFor({ state: 'detached' })
    await page.locator('.notice', { hasText: 'created' }).waitFor()

    const [order] = await belfry.sql(`select * from orders where customer_name = '${customer}'`)
    expect(order).toMatchObject({ status: 'processing', amount: '120.50', customer_email: null })
    const id = Number(order?.id)
    await row(page, id).getByText('120.50').waitFor()
    expect(await entries(page, id, 'insert').count()).toBe(1)
  })

  test('says beside each field what is wrong with it, and sends nothing', async () => {
    const page = await belfry.open()
    await ready(page)
    await page.getByRole('button', { name: 'New order' }).click()
    await dialog(page).getByLabel('Amount').fill('1,200')
    await dialog(page).getByRole('button', { name: 'Create order' }).click()
    await wrong(page, 'customer_name').waitFor()
    await wrong(page, 'product_name').waitFor()
    await wrong(page, 'amount').waitFor()
    // The first wrong field has the focus.
    await page.locator('input[name=customer_name]:focus').waitFor()
  })

  test('shows what the server says about a field', async () => {
    const page = await belfry.open()
    await ready(page)
    await page.getByRole('button', { name: 'New order' }).click()
    await dialog(page).getByLabel('Customer').fill('Ada')
    await dialog(page).getByLabel('Product').fill('Bell')
    await dialog(page).getByLabel('Amount').fill('1')
    await dialog(page).getByLabel('E-mail').fill('nobody')
    await dialog(page).getByRole('button', { name: 'Create order' }).click()
    await wrong(page, 'customer_email').waitFor()
    await page.locator('input[name=customer_email]:focus').waitFor()
  })

  test('P99 saves nothing over what it has not shown; who decides is the person', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id, customer } = await insertOrder(belfry)
    await row(page, id).hover()
    await row(page, id)
      .getByRole('button', { name: `Edit order ${id}` })
      .click()
    // Meanwhile another writer changes another column.
    await belfry.sql(`update orders set amount = 77 where id = ${id}`)
    await dialog(page).getByText('amount is now 77.00').waitFor()
    await dialog(page).getByLabel('Product').fill('Yoke')
    const save = dialog(page).getByRole('button', { name: 'Save changes' })
    await save.click()
    await dialog(page).getByText('Not saved: it was changed meanwhile').waitFor()
    expect(await dialog(page).getByLabel('Product').inputValue()).toBe('Yoke')
    await dialog(page).getByRole('button', { name: 'Keep what I altered' }).click()
    expect(await dialog(page).getByLabel('Amount').inputValue()).toBe('77.00')
    await save.click()
    await row(page, id).getByText('Yoke').waitFor()
    const [order] = await belfry.sql(`select * from orders where id = ${id}`)
    expect(order).toMatchObject({
      customer_name: customer,
      product_name: 'Yoke',
      amount: '77.00',
      version: 3,
    })
  })

  test('takes the new values when it is told to', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await row(page, id).hover()
    await row(page, id)
      .getByRole('button', { name: `Edit order ${id}` })
      .click()
    await belfry.sql(`update orders set product_name = 'Carillon' where id = ${id}`)
    await dialog(page).getByRole('button', { name: 'Take the new values' }).click()
    expect(await dialog(page).getByLabel('Product').inputValue()).toBe('Carillon')
  })

  test('P100 a create whose answer was lost is one order, however often it is sent', async () => {
    const page = await belfry.open()
    await ready(page)
    const customer = uniqueName()
    await page.getByRole('button', { name: 'New order' }).click()
    await dialog(page).getByLabel('Customer').fill(customer)
    await dialog(page).getByLabel('Product').fill('Clapper')
    await dialog(page).getByLabel('Amount').fill('1')
    let isLost = true
    await page.route('**/api/orders', async (route) => {
      if (route.request().method() !== 'POST' || !isLost) return route.fallback()
      isLost = false
      await route.fetch()
      await route.abort()
    })
    const create = dialog(page).getByRole('button', { name: 'Create order' })
    await create.click()
    await dialog(page).getByText('The server cannot be reached').waitFor()
    await create.click()
    await page.locator('.notice', { hasText: 'created' }).waitFor()
    const made = await belfry.sql(`select id from orders where customer_name = '${customer}'`)
    expect(made).toHaveLength(1)
  })

  test('P99 deletes an order only as it was shown, and only after asking', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    const remove = row(page, id).getByRole('button', { name: `Delete order ${id}` })
    await row(page, id).hover()
    await remove.click()
    // Enter is on the harmless answer.
    await page.keyboard.press('Enter')
    await dialog(page).waitFor({ state: 'detached' })
    expect(await belfry.sql(`select id from orders where id = ${id}`)).toHaveLength(1)

    await row(page, id).hover()
    await remove.click()
    await belfry.sql(`update orders set amount = 5 where id = ${id}`)
    await entries(page, id, 'update').waitFor()
    await dialog(page).getByRole('button', { name: 'Delete order' }).click()
    await dialog(page).getByText('Not deleted: meanwhile amount is now 5.00').waitFor()
    await dialog(page).getByRole('button', { name: 'Delete order' }).click()
    await row(page, id).waitFor({ state: 'detached' })
    await entries(page, id, 'delete').waitFor()
    expect(await belfry.sql(`select id from orders where id = ${id}`)).toHaveLength(0)
  })
})
