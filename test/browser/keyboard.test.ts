import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entries, insertOrder, ready } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

describe('the keyboard', { timeout: TEST_MS }, () => {
  test('n opens a new order, Escape closes it and gives the focus back', async () => {
    const page = await belfry.open()
    await ready(page)
    await page.getByRole('button', { name: 'Reconnect' }).focus()
    await page.keyboard.press('n')
    await page.locator('dialog input[name=customer_name]:focus').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Reconnect')
  })

  test('? shows the keys, / goes to the search', async () => {
    const page = await belfry.open()
    await ready(page)
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    expect((await help.locator('kbd').allTextContents()).join(' ')).toBe('n / o m r c ? Esc')
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    await page.locator('#search:focus').waitFor()
  })

  test('c clears the log, r reconnects', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await entries(page, id).waitFor()
    await page.keyboard.press('c')
    await entries(page, id).waitFor({ state: 'detached' })
    const opened = page.waitForEvent('websocket')
    await page.keyboard.press('r')
    await opened
  })

  test('means nothing while one types, or with a modifier', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await entries(page, id).waitFor()
    await page.locator('#search').pressSequentially('crn?/')
    expect(await page.locator('#search').inputValue()).toBe('crn?/')
    await page.keyboard.press('Escape')
    for (const keys of ['Control+c', 'Alt+n', 'Shift+N', 'Meta+r']) await page.keyboard.press(keys)
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await entries(page, id).count()).toBe(1)
  })

  test('reaches what can be done to an order', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    const edit = page.getByRole('button', { name: `Edit order ${id}` })
    await edit.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: `Order #${id}` }).waitFor()
  })
})
