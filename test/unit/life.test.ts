import { describe, expect, it } from 'vitest'
import { admit, type Life, mayAppend, newEpoch, supersede } from '../../worker/feed/life.ts'

const unborn: Life = { epoch: 'k3v', source: null, term: 0 }
const led: Life = { epoch: 'k3v', source: 'ours', term: 4 }

describe('admission', () => {
  it.each([
    ['P22 the first database is taken', unborn, 'ours', 1, { ...unborn, source: 'ours', term: 1 }],
    ['P13 a higher term leads', led, 'ours', 5, { ...led, term: 5 }],
    ['P13 the same term is the same leader come back', led, 'ours', 4, led],
  ])('%s', (_, life, source, term, after) => {
    expect(admit(life, { source, term })).toEqual({ kind: 'admitted', life: after })
  })

  it('P13 a lower term is fenced and told the highest', () => {
    expect(admit(led, { source: 'ours', term: 3 })).toEqual({ kind: 'fenced', term: 4 })
  })

  it.each([1, 4, 99])('P22 another database is refused at any term (%i)', (term) => {
    const refusal = { kind: 'other_source', source: 'ours' }
    expect(admit(led, { source: 'theirs', term })).toEqual(refusal)
  })

  it('P13 P24 a drain puts out every term that the database has given', () => {
    for (const newest of [4, 5, 9]) {
      const after = supersede(led, newest)
      expect(after).toEqual({ ...led, term: newest + 1 })
      expect(admit(after, { source: 'ours', term: newest }).kind).toBe('fenced')
      expect(admit(after, { source: 'ours', term: newest + 1 }).kind).toBe('admitted')
    }
    expect(supersede(led, 3)).toBe(led)
  })

  it('P21 only the highest term appends', () => {
    expect([3, 4, 5].map((term) => mayAppend(led, term))).toEqual([false, true, false])
  })
})

describe('an epoch', () => {
  it('is twelve characters that a position can hold', () => {
    const random = Uint8Array.from({ length: 12 }, (_, index) => index * 23)
    expect(newEpoch(random)).toMatch(/^[0-9a-z]{12}$/)
    expect(newEpoch(new Uint8Array(12))).not.toBe(newEpoch(random))
  })
})
