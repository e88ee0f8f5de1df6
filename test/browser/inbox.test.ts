import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { elementExample } from '../support/readme.ts'
import { ALLOWED_ORIGIN } from '../support/running-system.ts'
import { ready, uniqueName } from './dashboard.ts'
import { type Fixture, openFixture, STEP_MS, TEST_MS } from './fixture.ts'

let belfry: Fixture
beforeAll(async () => {
  belfry = await openFixture()
}, TEST_MS)
afterAll(() => belfry?.close())
afterEach(() => expect(belfry.uncaught()).toEqual([]))

describe('the inbox', { timeout: TEST_MS }, () => {
  test('P82 of one user moves together in two browsers', async () => {
    const user = await insertUser()
    const [here, there] = [await openAs(user.id), await openAs(user.id)]
    await deliver(user.id, ['Your lantern is lit', 'Your bell is cast'])
    for (const page of [here, there]) await bell(page, '2 new').waitFor()

    // What was opened here is new nowhere.
    await bell(here).click()
    await bell(there, '2 unread').waitFor()
    await bell(there).click()

    await item(here, 'Your bell is cast').getByRole('button', { name: 'Mark as read' }).click()
    await item(there, 'Your bell is cast').and(there.locator('li:not([data-unread])')).waitFor()
    await item(here, 'Your bell is cast').getByRole('button', { name: 'Archive' }).click()
    await item(there, 'Your bell is cast').waitFor({ state: 'detached' })
    await here.getByRole('button', { name: 'Undo' }).click()
    await item(there, 'Your bell is cast').waitFor()

    await there.getByRole('button', { name: 'Mark all read' }).click()
    await item(here, 'Your lantern is lit').and(here.locator('li:not([data-unread])')).waitFor()
    await there.getByRole('button', { name: 'Undo' }).click()
    await item(here, 'Your lantern is lit').and(here.locator('li[data-unread]')).waitFor()
    // The other one was read by itself, and still is.
    await item(here, 'Your bell is cast').and(here.locator('li:not([data-unread])')).waitFor()

    await deliver(user.id, ['While you look'])
    for (const page of [here, there]) await item(page, 'While you look').waitFor()
    // What is looked at is seen: the page says so by itself.
    await expect
      .poll(() => state(user.id), { timeout: STEP_MS })
      .toEqual([
        'While you look: seen',
        'Your bell is cast: seen, read',
        'Your lantern is lit: seen',
      ])
  })

  test('P90 shows nothing of one user to the next', async () => {
    const [first, second] = [await insertUser(), await insertUser()]
    await deliver(first.id, [`For ${first.name} alone`])
    await deliver(second.id, [`For ${second.name} alone`])
    const page = await openAs(first.id)
    await bell(page).click()
    await item(page, `For ${first.name} alone`).waitFor()
    await page.keyboard.press('Escape')
    await page.getByLabel('Signed in as').selectOption({ label: second.name })
    await bell(page, '1 new').click()
    await item(page, `For ${second.name} alone`).waitFor()
    expect(await everything(page)).not.toContain(first.name)
    // What comes for the first one now is not heard.
    await deliver(first.id, [`More for ${first.name}`])
    await deliver(second.id, ['And one more'])
    await item(page, 'And one more').waitFor()
    const announced = page.locator('belfry-inbox [aria-live]', { hasText: 'one more' })
    await announced.waitFor({ state: 'attached' })
    expect(await everything(page)).not.toContain(first.name)
  })

  test('P93 shows markup as text, and follows no link but those of the web', async () => {
    const user = await insertUser()
    const strings = [
      '<img src=x onerror="hacked=1">',
      '</li><script>hacked=1</script>',
      '{{hacked=1}}',
    ]
    const links = [
      'javascript:hacked=1',
      ' java\nscript:hacked=1',
      'data:text/html,<script>hacked=1</script>',
    ]
    for (const [index, text] of strings.entries())
      await deliver(user.id, [text], { text, link: links[index] })
    await deliver(user.id, ['To the mails'], { link: '/mail' })
    const page = await openAs(user.id)
    await bell(page).click()
    for (const text of strings) {
      await item(page, text).locator('.title').click()
      expect(await item(page, text).locator('.title').textContent()).toBe(text)
      expect(await item(page, text).locator('.text').textContent()).toBe(text)
      expect(await item(page, text).locator('a').count()).toBe(0)
    }
    expect(await page.locator('belfry-inbox :is(img, script, iframe)').count()).toBe(0)
    expect(await page.evaluate('typeof hacked')).toBe('undefined')
    await item(page, 'To the mails').locator('a').click()
    await page.waitForURL('**/mail')
  })

  test('reads older ones as one scrolls, and goes by keys', async () => {
    const user = await insertUser()
    await deliver(
      user.id,
      Array.from({ length: 45 }, (_, index) => `Number ${index + 1}`),
    )
    const page = await openAs(user.id)
    await bell(page, '45 new').press('Enter')
    const last = item(page, 'Number 1')
    const scroller = page.locator('belfry-inbox .scroller')
    while (!(await last.isVisible()))
      await scroller.evaluate((element) =>
        (element as unknown as { scrollBy(x: number, y: number): void }).scrollBy(0, 400),
      )
    expect(await page.locator('belfry-inbox li:not(.day)').count()).toBe(45)

    await page.keyboard.press('ArrowDown')
    await item(page, 'Number 45').locator(':focus').waitFor()
    await page.keyboard.press('e')
    await item(page, 'Number 44').locator(':focus').waitFor()
    expect(await item(page, 'Number 45').count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.locator('belfry-inbox:not([open])').waitFor()
    await bell(page).and(page.locator(':focus')).waitFor()
  })

  test('P84 stays in hand when a thousand come while it is looked at', async () => {
    const user = await insertUser()
    const page = await openAs(user.id)
    await bell(page).click()
    await page.getByText('You’re all caught up').waitFor()
    await deliver(
      user.id,
      Array.from({ length: 1_000 }, (_, index) => `Number ${index + 1}`),
    )
    await item(page, 'Number 1000').waitFor()
    await page.getByRole('button', { name: 'Mark all read' }).click()
    await page.getByText('All marked as read').waitFor()
    const unread = `select count(*)::int from belfry.inbox where user_id = ${user.id} and not read`
    await expect.poll(() => belfry.sql(unread), { timeout: STEP_MS }).toEqual([{ count: 0 }])
  })

  test('stands in a page of another site as the README has it', async () => {
    const user = await insertUser()
    const { token } = (await (await fetch(`${belfry.signInUrl}/token?user=${user.id}`)).json()) as {
      token: string
    }
    const pages: Record<string, string> = {
      '/': `<!doctype html>${elementExample('<belfry-inbox').replaceAll('http://127.0.0.1:8787', belfry.url)}`,
      '/my-belfry-token': token,
    }
    // A browser takes it for a site that is not of this machine, as the worker is.
    const page = await belfry.open('about:blank', { permissions: ['local-network-access'] })
    await page.route(`${ALLOWED_ORIGIN}/**`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: pages[new URL(route.request().url()).pathname] ?? '',
      }),
    )
    await page.goto(ALLOWED_ORIGIN)
    await bell(page, 'Inbox').waitFor()
    await deliver(user.id, ['Seen from the shop'])
    await bell(page, '1 new').click()
    await item(page, 'Seen from the shop').waitFor()
    await page.evaluate(`document.querySelector('belfry-inbox').token = null`)
    await page.getByText('Sign in to see your notifications').waitFor({ state: 'attached' })
    expect(await everything(page)).not.toContain('Seen from the shop')
  })
})

/** The bell, once its name has this in it. */
function bell(page: Page, name = 'Inbox'): Locator {
  return page.locator(`belfry-inbox .bell[aria-label*="${name}"]`)
}

function item(page: Page, title: string): Locator {
  return page.locator('belfry-inbox li').filter({ has: page.getByText(title, { exact: true }) })
}

/** All that stands in the inbox, shown or not. */
function everything(page: Page): Promise<unknown> {
  return page.evaluate(`document.querySelector('belfry-inbox').shadowRoot.textContent`)
}

async function openAs(id: number): Promise<Page> {
  const localStorage = [{ name: 'belfry.user', value: String(id) }]
  const page = await belfry.open('/', {
    storageState: { cookies: [], origins: [{ origin: new URL(belfry.url).origin, localStorage }] },
  })
  await ready(page)
  await bell(page).waitFor()
  return page
}

async function insertUser(): Promise<{ id: number; name: string }> {
  const name = uniqueName()
  const [user] = await belfry.sql(`insert into users (name) values ('${name}') returning id`)
  return { id: Number(user?.id), name }
}

async function deliver(
  user: number,
  titles: string[],
  { text = '', link = '' } = {},
): Promise<void> {
  const quoted = (value: string) => `$text$${value}$text$`
  await belfry.sql(
    `insert into notifications (user_id, title, content, link)
     select ${user}, title, json_build_object('text', ${quoted(text)}::text), nullif(${quoted(link)}, '')
       from unnest(array[${titles.map(quoted).join(', ')}]) as title`,
  )
}

/** What Postgres says of a user's inbox. */
async function state(user: number): Promise<string[]> {
  const rows = await belfry.sql(
    `select title || ': ' || concat_ws(', ', case when seen then 'seen' end, case when read then 'read' end,
            case when archived then 'archived' end) as said
       from belfry.inbox where user_id = ${user} order by title`,
  )
  return rows.map(({ said }) => String(said))
}
