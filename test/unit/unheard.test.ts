import { describe, expect, test } from 'vitest'
import { type RungBy, unheard } from '../../listener/unheard.ts'
import type { OwedChange } from '../../protocol/outbox.ts'

const change = (ageMs: number): OwedChange => ({ id: '1', text: '{}', ageMs, oversize: false })
const beat: OwedChange = { ...change(2), beat: 7 }

describe('P12 what a look comes upon unheard', () => {
  test.each<[string, RungBy, OwedChange[], number]>([
    ['a writer rang: nothing', 'writer', [change(0), change(9_000)], 0],
    ['nobody rang: all of it', null, [change(0), change(9_000)], 2],
    ['only the canary rang: what is old', 'canary', [change(3), change(1_000), change(9_000)], 2],
    ['a beat is no change', null, [beat], 0],
    ['nor when it rang for itself', 'canary', [beat, { ...beat, ageMs: 5_000 }], 0],
  ])('%s', (_, rungBy, owed, count) => expect(unheard(owed, rungBy)).toBe(count))
})
