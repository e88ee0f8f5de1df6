import { describe, expect, it } from 'vitest'
import { addressesIn, judgeAddresses } from '../../worker/webhooks/name-lookup.ts'

describe('P68: what a name stands for', () => {
  it.each([
    [['93.184.216.34', '2606:2800:220:1::1'], { kind: 'public' }],
    [['93.184.216.34', '10.0.0.1'], { kind: 'private', address: '10.0.0.1' }],
    [['93.184.216.34', '::1'], { kind: 'private', address: '::1' }],
    [['::ffff:169.254.169.254'], { kind: 'private', address: '::ffff:169.254.169.254' }],
    [['what is this'], { kind: 'private', address: 'what is this' }],
    [[], { kind: 'nowhere' }],
  ])('%j', (addresses, lookup) => {
    expect(judgeAddresses(addresses)).toEqual(lookup)
  })

  it('is read from the resolver’s answer, past the names on the way', () => {
    const records = [
      { name: 'a.example', type: 5, TTL: 60, data: 'b.example.' },
      { name: 'b.example.', type: 1, TTL: 60, data: '93.184.216.34' },
    ]
    expect(addressesIn({ Status: 0, TC: false, Answer: records }, 1)).toEqual(['93.184.216.34'])
    expect(addressesIn({ Status: 0, Answer: records }, 28)).toEqual([])
    expect(addressesIn({ Status: 0 }, 1)).toEqual([])
    expect(addressesIn({ Status: 3 }, 1)).toEqual([])
  })

  it.each([{ Status: 2 }, { Status: 5 }, {}, null, [], 'SERVFAIL', { Status: 0, Answer: 'x' }])(
    'is not known by %j',
    (answer) => {
      expect(() => addressesIn(answer, 1)).toThrow()
    },
  )
})
