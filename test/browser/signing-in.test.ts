import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { insertOrder, ready, row } from './dashboard.ts'
import { type Fixture, openFixture, TEST_MS } from './fixture.ts'

/** The dashboard as it is deployed, before a worker whose doors are shut to anyone. */
let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

const deployed = fileURLToPath(new URL('../../dist/client', import.meta.url))
const kinds: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

describe('the dashboard as it is deployed', { timeout: TEST_MS }, () => {
  test('P106 asks for a key, says what it does not open, and forgets it with all that was read', async () => {
    const { id, customer } = await insertOrder(belfry)
    const { key, key_id } = await makeKey(['orders:read'])
    const page = await openDeployed()
    const asked = addresses(page)
    await signIn(page, `Bearer ${belfry.adminToken}`)
    await row(page, id).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.locator('tr').count()).toBe(0)
    expect(await stored(page)).not.toContain(belfry.adminToken)

    await signIn(page, 'belfry_nobody')
    await page.getByText('That is not a key or a token that opens this Belfry').waitFor()
    await signIn(page, key)
    await ready(page)
    await row(page, id).getByText(customer).waitFor()
    await page.reload()
    await ready(page)

    await row(page, id).hover()
    await row(page, id)
      .getByRole('button', { name: `Edit order ${id}` })
      .click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Product').fill('Yoke')
    await dialog.getByRole('button', { name: 'Save changes' }).click()
    await dialog.locator('.failure', { hasText: 'orders:write' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Mail', exact: true }).click()
    await page.locator('[data-test=for-others]', { hasText: 'admin' }).waitFor()

    const revoked = await belfry.ask(`/api/keys/${key_id}`, { method: 'DELETE' })
    expect(revoked.status).toBeLessThan(300)
    await page.locator('[data-test=why]', { hasText: 'You were signed out.' }).waitFor()
    const secret = (address: string) =>
      [key, belfry.adminToken].some((each) => address.includes(each))
    expect(asked().filter(secret)).toEqual([])
    expect(await stored(page)).not.toContain(key)
  })
})

/** Its files come from the build; only what the worker answers comes from there. */
async function openDeployed(): Promise<Page> {
  // What stands in for the server is elsewhere to a browser, and the worker on this machine.
  const page = await belfry.open('/docs/problems', { permissions: ['local-network-access'] })
  await page.route(
    (url) => !url.pathname.startsWith('/api/') && url.origin === new URL(belfry.url).origin,
    async (route) => {
      const { pathname } = new URL(route.request().url())
      const path = { '/': '/index.html', '/mail': '/mail.html' }[pathname] ?? pathname
      const answer = await route.fetch()
      const policy = String(answer.headers()['content-security-policy'])
      await route.fulfill({
        body: readFileSync(`${deployed}${path}`),
        headers: {
          'content-type': kinds[extname(path)] ?? 'text/plain',
          'content-security-policy': policy.replace(/ http:\/\/[^;]*/, ''),
        },
      })
    },
  )
  await page.goto(belfry.url)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  return page
}

async function signIn(page: Page, credential: string): Promise<void> {
  await page.getByLabel('API key or token').fill(credential)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function makeKey(scopes: string[]): Promise<{ key: string; key_id: number }> {
  const answer = await belfry.ask('/api/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a dashboard', scopes }),
  })
  const { key, id } = (await answer.json()) as { key: string; id: number }
  return { key, key_id: id }
}

/** @returns all addresses that the page has asked since */
function addresses(page: Page): () => string[] {
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('websocket', (socket) => asked.push(socket.url()))
  page.on('framenavigated', (frame) => asked.push(frame.url()))
  return () => asked
}

function stored(page: Page): Promise<string> {
  return page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])')
}
