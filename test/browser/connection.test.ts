import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connection, entries, insertOrder, ready, row } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

/** P71, and the page reads the status every 5 s. */
const PROVEN_MS = 27_000
/** For a worker and its listener to be back, on a busy machine. */
const RESTART_MS = 40_000

describe('the connection', { timeout: TEST_MS }, () => {
  test('is told in a word, with position, listener and lag', async () => {
    const page = await belfry.open()
    await connection(page, 'Live').waitFor()
    await page.locator('[data-test=position]', { hasText: /\d.*epoch \w+/ }).waitFor()
    await page.locator('[data-test=listener]', { hasText: /term \d/ }).waitFor()
    await page.locator('[data-test=lag]', { hasText: /\d (ms|s)/ }).waitFor()
  })

  test('P71 is green only while changes are seen to arrive, and else says why', async () => {
    const page = await belfry.open()
    const green = page.locator('[data-test=connection][data-tone=good]', { hasText: 'Live' })
    await green.waitFor({ timeout: PROVEN_MS })
    await page
      .locator('[data-test=canary]', { hasText: /^canary (<1|[\d.]+) m?s, (just now|\d+ s ago)$/ })
      .waitFor()
    try {
      await belfry.sql('alter table belfry.canary disable trigger all')
      await page
        .locator('[data-test=connection][data-tone=bad]', { hasText: 'Not delivering' })
        .waitFor({ timeout: PROVEN_MS })
      await page.locator('.trouble', { hasText: 'no canary has come for' }).waitFor()
      expect(await page.locator('.way [data-tone=good]').count()).toBe(0)
      expect(await page.locator('[data-test=canary]').count()).toBe(0)
    } finally {
      await belfry.sql('alter table belfry.canary enable trigger all')
    }
    await green.waitFor({ timeout: PROVEN_MS })
  })

  test('is tested on request, on both ways', async () => {
    const page = await belfry.open()
    await ready(page)
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page
      .locator('[data-test=probe]', { hasText: /^Socket (<1|[\d.]+) m?s · HTTP (<1|[\d.]+) m?s$/ })
      .waitFor()
  })

  test('is made anew on request, without losing or repeating a change', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await entries(page, id, 'insert').waitFor()
    const opened = page.waitForEvent('websocket')
    await page.getByRole('button', { name: 'Reconnect' }).click()
    expect((await opened).url()).toMatch(/[?&]after=\d+/)
    await belfry.sql(`update orders set status = 'shipped' where id = ${id}`)
    await entries(page, id, 'update').waitFor()
    expect(await entries(page, id).count()).toBe(2)
  })

  test('comes back after an absence and shows what it missed, once', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await entries(page, id, 'insert').waitFor()

    await page.context().setOffline(true)
    await page.keyboard.press('r')
    await connection(page, 'Disconnected').waitFor()
    await page.getByText('Not connected.').waitFor()
    await belfry.sql(`update orders set status = 'filled' where id = ${id}`)
    await belfry.sql(`update orders set status = 'shipped' where id = ${id}`)
    expect(await entries(page, id, 'update').count()).toBe(0)

    await page.context().setOffline(false)
    await connection(page, 'Live').waitFor()
    await row(page, id).getByText('shipped', { exact: true }).waitFor()
    // Once this later change is there, a repeated one would be there too.
    await belfry.sql(`update orders set status = 'delivered' where id = ${id}`)
    const updates = entries(page, id, 'update')
    await updates.filter({ hasText: 'delivered' }).waitFor()
    expect(await updates.locator('ins').allTextContents()).toEqual([
      'delivered',
      'shipped',
      'filled',
    ])
    // What was missed says so, instead of a latency that measures the absence.
    expect(await updates.nth(2).locator('.latency-ms').textContent()).toBe('caught up')
  })

  test('outlives the server: what was written while it was down appears, once', async () => {
    const page = await belfry.open()
    await ready(page)
    const { id } = await insertOrder(belfry)
    await entries(page, id, 'insert').waitFor()

    await belfry.killWorker()
    await connection(page, 'Disconnected').waitFor()
    await belfry.sql(`update orders set status = 'filled' where id = ${id}`)
    await connection(page, 'Live').waitFor({ timeout: RESTART_MS })
    await row(page, id).getByText('filled', { exact: true }).waitFor({ timeout: RESTART_MS })
    await belfry.sql(`update orders set status = 'shipped' where id = ${id}`)
    await entries(page, id, 'update').filter({ hasText: 'shipped' }).waitFor()
    expect(await entries(page, id, 'update').locator('ins').allTextContents()).toEqual([
      'shipped',
      'filled',
    ])
  })

  test('tells changes of state to a screen reader, and not each change', async () => {
    const page = await belfry.open()
    await ready(page)
    expect(await connection(page).getAttribute('aria-live')).toBe('polite')
    expect(
      await page.locator('[data-test=log]').or(page.locator('[data-test=log-empty]')).count(),
    ).toBe(1)
    expect(await page.locator('.activity [aria-live]').count()).toBe(0)
  })
})
