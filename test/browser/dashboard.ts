import type { Locator, Page } from 'playwright-core'
import type { Running } from './fixture.ts'

/** The parts of the page by the names that the tests use for them. */
export function connection(page: Page, word = 'Live'): Locator {
  return page.locator('[data-test=connection]', { hasText: word })
}

export function row(page: Page, id: number, flash?: string): Locator {
  const flashing = flash === undefined ? '' : `[data-flash="${flash}"]`
  return page.locator(`tr[data-order="${id}"]${flashing}`)
}

/** Entries of the log about one order, newest first. */
export function entries(page: Page, id: number, op = ''): Locator {
  const ofOp = op === '' ? '' : `[data-op="${op}"]`
  return page.locator(`.entry${ofOp}`).filter({ has: page.getByText(`#${id}`, { exact: true }) })
}

/** Live, with its snapshot read: from here on it must show everything. */
export async function ready(page: Page): Promise<void> {
  await connection(page).waitFor()
}

let names = 0

export function uniqueName(): string {
  return `Test ${process.pid}-${++names}`
}

/** An order of this test's own, so that tests do not see one another's. */
export async function insertOrder(
  { sql }: Running,
  { customer = uniqueName(), status = 'pending', amount = 10 } = {},
): Promise<{ id: number; customer: string }> {
  const [inserted] = await sql(
    `insert into orders (customer_name, product_name, status, amount)
     values ('${customer}', 'Hand bell', '${status}', ${amount}) returning id`,
  )
  return { id: Number(inserted?.id), customer }
}

/** A style as the browser computed it. `pseudo` is like `::before`. */
export function style(locator: Locator, property: string, pseudo = ''): Promise<string> {
  return locator.evaluate(
    (element, [name, part]) => {
      const page = globalThis as unknown as {
        getComputedStyle(of: unknown, part?: string): { getPropertyValue(name: string): string }
      }
      return page.getComputedStyle(element, part || undefined).getPropertyValue(name)
    },
    [property, pseudo] as const,
  )
}

/** The hue of a CSS colour in degrees: red is 0, green 120, blue 240 and -120 on the way back. */
export function hue(rgb: string): number {
  const [red = 0, green = 0, blue = 0] = (rgb.match(/[\d.]+/g) ?? []).map(Number)
  const most = Math.max(red, green, blue)
  const span = most - Math.min(red, green, blue)
  if (span === 0) throw new Error(`${rgb} is grey`)
  const sixths =
    most === red
      ? (green - blue) / span
      : most === green
        ? 2 + (blue - red) / span
        : 4 + (red - green) / span
  return sixths * 60
}
