import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_BATCH_CHANGES, toFeed } from '../../protocol/link.ts'
import { parseSaid } from '../../worker/feed/said.ts'

const change = {
  id: '6d0f0f5e-0000-4000-8000-000000000000',
  table: 'orders',
  op: 'update',
  key: { id: 1 },
  new: { id: 1, amount: 2 },
  old: { id: 1, amount: 1 },
  at: '2026-11-21T08:33:55.123456+00:00',
}
const batch = (...changes: unknown[]) => ({ type: 'batch', seq: 1, changes })

/** Every field, right or wrong, so that most combinations have one thing wrong with them. */
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom('', 'x'.repeat(256), '2026-11-21', 0, -1, 1.5, 2 ** 60, true, undefined),
)
const like = (value: unknown) => fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, odd)
const anyChange = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        id: fc.oneof(
          { weight: 9, arbitrary: fc.uuid() },
          fc.constantFrom(
            '00000000-0000-0000-0000-000000000000',
            'ffffffff-ffff-ffff-ffff-ffffffffffff',
            'FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF',
            '6d0f0f5e-0000-9000-8000-000000000000',
            '6d0f0f5e-0000-4000-c000-000000000000',
            '6d0f0f5e000040008000000000000000',
          ),
          odd,
        ),
        table: like('orders'),
        op: like('insert'),
        key: like({ id: 1 }),
        new: like(null),
        old: like({}),
        at: like(change.at),
        oversize: like(true),
        surplus: like(1),
      },
      { requiredKeys: ['id', 'table', 'op', 'key', 'new', 'old', 'at'] },
    ),
  },
  odd,
)
const anyBatch = fc.record({
  type: fc.constant('batch'),
  seq: like(1),
  changes: fc.oneof({ weight: 9, arbitrary: fc.array(anyChange, { maxLength: 2 }) }, odd),
})

describe('parseSaid', () => {
  test('P60 it reads a batch exactly as the protocol’s schema does', () => {
    let accepted = 0
    fc.assert(
      fc.property(anyBatch, (said) => {
        const text = JSON.stringify(said)
        const byHand = parseSaid(text)
        const bySchema = toFeed.safeParse(JSON.parse(text))
        expect('refusal' in byHand).toBe(!bySchema.success)
        if (bySchema.success) expect(byHand).toEqual(bySchema.data)
        if (bySchema.success) accepted++
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  test.each([
    ['not JSON', 'not JSON'],
    ['null', ''],
    ['[]', ''],
    [JSON.stringify({ type: 'pulse', state: 'awake', lagMs: -1 }), 'lagMs'],
    [JSON.stringify({ type: 'open' }), 'source'],
    [JSON.stringify(batch()), 'changes: must be a list of 1 to 1000'],
    [JSON.stringify(batch(...Array(MAX_BATCH_CHANGES + 1).fill(change))), 'changes: must be'],
    [JSON.stringify({ ...batch(change), seq: '1' }), 'seq: must be'],
    [JSON.stringify(batch(change, 7)), 'changes.1: must be an object'],
    [JSON.stringify(batch(change, { ...change, op: 'upsert' })), 'changes.1.op: must be one of'],
  ])('P60 %.60s is refused with what is wrong', (text, reason) => {
    expect(parseSaid(text)).toMatchObject({ refusal: expect.stringContaining(reason) })
  })

  test('P60 what is not text is refused', () => {
    expect(parseSaid(new ArrayBuffer(2))).toEqual({ refusal: 'the link speaks JSON text' })
  })
})
