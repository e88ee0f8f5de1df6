import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sdkExample } from '../support/readme.ts'
import { insertOrder } from './dashboard.ts'
import { type Fixture, openFixture, STEP_MS, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())

describe('the SDK in a page', { timeout: TEST_MS }, () => {
  test('P30 the README’s example runs as written, and moves with the table', async () => {
    const page = await belfry.open('/docs/problems')
    const example = sdkExample('/belfry.js').replace('…', belfry.adminToken)
    await page.evaluate(`(async () => {${example}})()`)
    const shows = async (count: number) => {
      await expect.poll(() => page.title(), { timeout: STEP_MS }).toBe(`${count} orders`)
    }
    const [row] = await belfry.sql('SELECT count(*)::int AS count FROM orders')
    const count = Number(row?.count)
    await shows(count)
    const { id } = await insertOrder(belfry)
    await shows(count + 1)
    await belfry.sql(`DELETE FROM orders WHERE id = ${id}`)
    await shows(count)
    expect(belfry.uncaught()).toEqual([])
  })

  test('/belfry.js is asked for again when it has changed, and is a module', async () => {
    const { status, headers } = await fetch(new URL('/belfry.js', belfry.url))
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch('javascript')
    expect(headers.get('cache-control')).not.toMatch('immutable')
  })
})
