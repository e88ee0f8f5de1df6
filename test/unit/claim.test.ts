import { describe, expect, test } from 'vitest'
import { claim } from '../../worker/feed/claim.ts'
import type { Life } from '../../worker/feed/life.ts'

const ours = '0f0e0d0c-0b0a-4900-8807-060504030201'
const other = '11111111-1111-4111-8111-111111111111'
const fresh: Life = { epoch: 'now', source: null, term: 0 }
const grown: Life = { epoch: 'now', source: ours, term: 7 }
const kindOf = (source: string, feed: string | null, life: Life, earlier: string[] = []) =>
  claim({ source, feed }, life, earlier).kind

describe('whether the feed may take changes by itself', () => {
  test('P22 never from another database than the one its log is of', () => {
    for (const feed of [null, '', 'now', 'then'])
      expect(kindOf(other, feed, grown, ['then'])).toBe('refused')
  })

  test('P24 from the database whose listener was last linked to it, before a reset too', () => {
    expect(kindOf(ours, 'now', grown)).toBe('ours')
    expect(kindOf(ours, 'now', fresh)).toBe('ours')
    expect(kindOf(ours, 'then', fresh, ['then'])).toBe('ours')
  })

  test('P24 never from one that is fed to another feed, be its own log of it', () => {
    expect(kindOf(ours, 'staging', grown)).toBe('refused')
    expect(kindOf(ours, 'staging', fresh, ['then'])).toBe('refused')
  })

  test('P24 from one that no feed has had, after writing that down', () => {
    expect(kindOf(ours, null, fresh)).toBe('nobodys')
    expect(kindOf(ours, null, grown)).toBe('nobodys')
  })

  test('P24 where it was not written down, only the feed that knows the database takes it', () => {
    expect(kindOf(ours, '', grown)).toBe('nobodys')
    expect(kindOf(ours, '', fresh, [''])).toBe('refused')
  })

  test('a refusal says what to do', () => {
    const says = (source: string, feed: string) => {
      const verdict = claim({ source, feed }, grown, [])
      return verdict.kind === 'refused' ? verdict.error : ''
    }
    expect(says(other, 'now')).toMatch(/DATABASE_URL.*feed reset --yes/)
    expect(says(ours, 'staging')).toMatch(/FEED_URL/)
  })
})
