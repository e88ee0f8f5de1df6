import { expect, it } from 'vitest'
import { safeLink } from '../../client/element/safe-link.ts'

const page = 'https://shop.example/basket?x=1'

it.each([
  ['/orders/5', 'https://shop.example/orders/5'],
  ['?search=bell', 'https://shop.example/basket?search=bell'],
  ['#there', 'https://shop.example/basket?x=1#there'],
  ['../help', 'https://shop.example/help'],
  ['//other.example/a', 'https://other.example/a'],
  ['HTTP://other.example', 'http://other.example/'],
  ['https://other.example/<b>"\'', "https://other.example/%3Cb%3E%22'"],
])('P93 %j leads to %s', (link, address) => {
  expect(safeLink(link, page)?.href).toBe(address)
})

it.each([
  null,
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  ' \u0001javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://shop.example/1',
  'file:///etc/passwd',
  'view-source:https://shop.example',
  'mailto:a@b.example',
  'https://',
  'http://[',
])('P93 %j leads nowhere', (link) => {
  expect(safeLink(link, page)).toBeNull()
})

it('P93 in a page without an address only whole ones are followed', () => {
  expect(safeLink('/orders/5', 'about:srcdoc')).toBeNull()
  expect(safeLink('https://shop.example/', 'about:srcdoc')?.href).toBe('https://shop.example/')
})
