import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entries, insertOrder, ready, row } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

const sizes = [
  ['desktop', 1280, 800],
  ['phone', 390, 844],
] as const

const background = 'getComputedStyle(document.body).backgroundColor'
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe.each(sizes)('on a %s', { timeout: TEST_MS }, (_name, width, height) => {
  test('the dashboard does not scroll sideways', async () => {
    const { id } = await insertOrder(belfry, { amount: 99_999_999.99 })
    const page = await belfry.open('/', { viewport: { width, height } })
    await ready(page)
    await row(page, id).waitFor()
    expect(await page.evaluate(overflow)).toBe(0)
  })

  test('a row shows its order and what can be done to it', async () => {
    const { id, customer } = await insertOrder(belfry, { amount: 1234.5 })
    const page = await belfry.open('/', { viewport: { width, height } })
    await ready(page)
    for (const text of [customer, 'Hand bell', 'pending', '1,234.50'])
      await row(page, id).getByText(text).waitFor()
    await row(page, id)
      .getByRole('button', { name: `Edit order ${id}` })
      .click()
    await page.getByRole('dialog').waitFor()
    expect(await page.evaluate(overflow)).toBe(0)
  })
})

test('on a phone one chooses between orders and log', { timeout: TEST_MS }, async () => {
  const page = await belfry.open('/', { viewport: { width: 390, height: 844 } })
  await ready(page)
  const { id } = await insertOrder(belfry)
  await row(page, id).waitFor()
  expect(await entries(page, id).isVisible()).toBe(false)
  await page.getByRole('button', { name: /^Activity/ }).click()
  await entries(page, id).waitFor()
  await row(page, id).waitFor({ state: 'hidden' })
  expect(await page.evaluate(overflow)).toBe(0)
})

describe('light and dark', { timeout: TEST_MS }, () => {
  test('follow the system until a person chooses, and the choice is remembered', async () => {
    const page = await belfry.open()
    await ready(page)
    const light = await page.evaluate(background)
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await page.evaluate(background)
    expect(dark).not.toBe(light)

    await page.getByRole('button', { name: 'Use the light theme' }).click()
    expect(await page.evaluate(background)).toBe(light)
    await page.reload()
    await page.getByRole('button', { name: 'Use the dark theme' }).waitFor()
    expect(await page.evaluate(background)).toBe(light)
    await page.goto(new URL('/docs', belfry.url).href)
    expect(await page.evaluate(background)).toBe(light)
  })

  test('without motion a changed row is coloured all the same', async () => {
    const page = await belfry.open('/', { reducedMotion: 'reduce' })
    await ready(page)
    const { id } = await insertOrder(belfry)
    await row(page, id).waitFor()
    // It looks by itself: the page's policy lets no text be run later.
    const coloured = page.evaluate(
      `new Promise((done) => {
        const look = () => {
          const row = document.querySelector('tr[data-order="${id}"][data-flash="update"]')
          const style = row && getComputedStyle(row)
          if (style && style.animationName === 'none' && style.boxShadow !== 'none') done()
          else requestAnimationFrame(look)
        }
        look()
      })`,
    )
    await belfry.sql(`update orders set amount = 11 where id = ${id}`)
    await coloured
    // The colour goes by itself.
    await row(page, id).and(page.locator('tr:not([data-flash])')).waitFor()
  })
})

test.each(['/', '/mail', '/orders/1', '/docs', '/docs/problems', '/letter'])(
  'P106 %s is under a policy that runs no script but ours',
  async (path) => {
    const answer = await fetch(new URL(path, belfry.url))
    expect(answer.status).toBe(200)
    const policy = String(answer.headers.get('content-security-policy'))
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(path === '/letter' ? /^(?!.*script-src)/ : /script-src 'self';/)
    // The letter's page is the only one that another may frame, and the only one with inline styles.
    expect(policy).toContain(`frame-ancestors ${path === '/letter' ? "'self'" : "'none'"}`)
    expect(policy.includes('unsafe')).toBe(path === '/letter')
  },
)

describe('the documentation', { timeout: TEST_MS }, () => {
  test('shows the routes, asks nobody else, and in a local run has signed one in', async () => {
    const page = await belfry.open('/docs/problems')
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).origin))
    await page.goto(new URL('/docs', belfry.url).href)
    await page.locator('.opblock-summary-path', { hasText: '/api/orders' }).first().waitFor()
    await page.locator('.authorize.locked').first().waitFor()
    const here = [belfry.url, belfry.signInUrl].map((url) => new URL(url).origin)
    expect(new Set(asked)).toEqual(new Set(here))
    for (const [, width, height] of sizes) {
      await page.setViewportSize({ width, height })
      expect(await page.evaluate(overflow)).toBe(0)
    }
  })

  test('explains a problem at the address that is its type', async () => {
    const answer = await belfry.ask('/api/orders/none')
    const { type, code } = (await answer.json()) as { type: string; code: string }
    const page = await belfry.open(type)
    await page.locator('tr:target', { hasText: code }).waitFor()
  })
})
