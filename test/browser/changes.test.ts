import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entries, hue, insertOrder, ready, row, style, uniqueName } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

/** What a person calls green, amber and red. */
const hues = { insert: [90, 160], update: [25, 55], delete: [-15, 15] } as const

describe('changes made by SQL', { timeout: TEST_MS }, () => {
  test('appear in the table and in the log, in their colour and with their latency', async () => {
    const page = await belfry.open()
    await ready(page)

    const { id, customer } = await insertOrder(belfry)
    await row(page, id).getByText(customer).waitFor()
    await entries(page, id, 'insert').waitFor()

    const flash = row(page, id, 'update').waitFor()
    await belfry.sql(`update orders set status = 'FILLED', amount = 12.5 where id = ${id}`)
    await flash
    await row(page, id).getByText('filled', { exact: true }).waitFor()
    await row(page, id).getByText('12.50').waitFor()
    const updated = entries(page, id, 'update')
    await updated.locator('del', { hasText: 'pending' }).waitFor()
    await updated.locator('ins', { hasText: 'filled' }).waitFor()
    await updated.locator('del', { hasText: '10.00' }).waitFor()
    await updated.locator('ins', { hasText: '12.50' }).waitFor()

    await belfry.sql(`delete from orders where id = ${id}`)
    await row(page, id).waitFor({ state: 'detached' })
    await entries(page, id, 'delete').waitFor()

    for (const op of ['insert', 'update', 'delete'] as const) {
      const entry = entries(page, id, op)
      const edge = hue(await style(entry, 'background-color', '::before'))
      const [from, to] = hues[op]
      expect(edge, op).toBeGreaterThan(from)
      expect(edge, op).toBeLessThan(to)
      expect(await entry.locator('.latency-ms').textContent()).toMatch(/^(<1 ms|\d+ ms|\d\.\d s)$/)
      expect(Number(await entry.getAttribute('data-offset'))).toBeGreaterThan(0)
    }
    await page.locator('[data-test=latency]', { hasText: 'p50' }).waitFor()
  })

  test('stand at the offset that the feed gave them', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    const entry = entries(page, id, 'insert')
    await entry.waitFor()
    const offset = Number(await entry.getAttribute('data-offset'))
    const answer = await belfry.ask(`/api/changes?table=orders&after=${offset - 1}&limit=1`)
    const { changes } = (await answer.json()) as {
      changes: { offset: number; key: { id: number } }[]
    }
    expect(changes).toMatchObject([{ offset, key: { id } }])
  })

  test('that come in a burst leave the table right and the log bounded', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id, customer } = await insertOrder(belfry)
    await row(page, id).waitFor()
    // One statement for each update of the one row: 3,000 changes in one transaction.
    await belfry.sql(
      `do $$ begin for i in 1..3000 loop update orders set amount = i where id = ${id}; end loop; end $$`,
    )
    await row(page, id).getByText('3,000.00').waitFor()
    await page.locator('.log-end', { hasText: /earlier changes/ }).waitFor()
    expect(await page.locator('.entry').count()).toBe(200)
    await page.getByLabel(/Search/).fill(customer)
    await page.locator('[data-test=order-count]', { hasText: '1 of' }).waitFor()
  })
})

describe('the table', { timeout: TEST_MS }, () => {
  test('is never called empty while its rows are on their way', async () => {
    const page = await belfry.open()
    await insertOrder(belfry)
    // As a hidden page: rows wait for a frame that does not come, for half a second at most.
    await page.addInitScript(`
      window.requestAnimationFrame = () => 0
      new MutationObserver(() => {
        window.calledEmpty ||= document.body?.textContent.includes('No orders yet') ?? false
      }).observe(document, { childList: true, subtree: true })
    `)
    await page.reload()
    await page.locator('tr[data-order]').first().waitFor()
    expect(await page.evaluate('window.calledEmpty')).toBe(false)
  })

  test('shows what matches the search and the status, and moves rows as they change', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id, customer } = await insertOrder(belfry)
    const other = await insertOrder(belfry)
    await row(page, other.id).waitFor()

    await page.getByLabel(/Search/).fill(customer.toLowerCase())
    await row(page, other.id).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /^pending/ }).click()
    await row(page, id).waitFor()

    await belfry.sql(`update orders set status = 'shipped' where id = ${id}`)
    await page.getByText('No order matches').waitFor()
    await page.getByRole('button', { name: 'Show all orders' }).click()
    await row(page, other.id).waitFor()
  })

  test('is sorted by the column that was asked for, and keeps to it', async () => {
    const page = await belfry.open()
    await ready(page)
    const customer = uniqueName()
    const cheap = await insertOrder(belfry, { customer, amount: 20 })
    const dear = await insertOrder(belfry, { customer, amount: 30 })
    const first = (id: number) => page.locator(`tbody tr:first-child[data-order="${id}"]`)
    await page.getByLabel(/Search/).fill(customer)
    await page.getByRole('button', { name: 'Amount' }).click()
    await page.locator('th[aria-sort=descending]', { hasText: 'Amount' }).waitFor()
    await first(dear.id).waitFor()
    await belfry.sql(`update orders set amount = 10 where id = ${dear.id}`)
    await first(cheap.id).waitFor()
    await page.getByRole('button', { name: 'Amount' }).click()
    await page.locator('th[aria-sort=ascending]', { hasText: 'Amount' }).waitFor()
    await first(dear.id).waitFor()
  })
})
