import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closeReason } from '../../protocol/close-codes.ts'

const bytes = (text: string) => new TextEncoder().encode(text).length

test('P60 a close reason is at most 123 bytes, whatever it tells, and whole where it fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const reason = closeReason(text)
      if (bytes(text) <= 123) {
        expect(reason).toBe(text)
        return
      }
      expect(bytes(reason)).toBeLessThanOrEqual(123)
      // No character is cut in two, and no more is left out than must be.
      expect(text.startsWith(reason.slice(0, -1))).toBe(true)
      expect(bytes(reason)).toBeGreaterThan(119)
    }),
  )
  expect(closeReason('x'.repeat(124))).toBe(`${'x'.repeat(120)}…`)
  expect(closeReason('𝄞'.repeat(40))).toBe(`${'𝄞'.repeat(30)}…`)
})
