import { describe, expect, test } from 'vitest'
import { masked, unsubscribePage } from '../../worker/api/unsubscribe-page.ts'

describe('a masked mailbox', () => {
  test.each([
    ['ada@example.com', 'a•••@e•••.com'],
    ['ada@mail.example.co.uk', 'a•••@m•••.uk'],
    ['ada@localhost', 'a•••@l•••'],
    ['"a@b"@example.com', '"•••@e•••.com'],
    ['😀x@example.com', '😀•••@e•••.com'],
    ['no address at all', 'n•••'],
    ['@example.com', '@•••'],
    ['', '••••'],
  ])('%s shows as %s', (mailbox, shown) => {
    expect(masked(mailbox)).toBe(shown)
  })
})

test('nothing of a mailbox breaks out of the page', () => {
  const page = unsubscribePage({ kind: 'question', mailbox: '<script>@<b>."onload=x' }, 'n')
  expect(page).not.toMatch(/<script|<b>\./)
  expect(page).toContain('&#60;•••@&#60;•••.')
})
