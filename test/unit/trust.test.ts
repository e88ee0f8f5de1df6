import { describe, expect, it } from 'vitest'
import { type Limits, limitsFor } from '../../worker/shard/limits.ts'
import { PATIENCE_MS, Trust } from '../../worker/shard/trust.ts'

const NOW = 1_000_000
const MB = 1024 * 1024
const at = { epoch: 'a', offset: 1 }
const limits: Limits = { ...limitsFor(0, 1), trustBytes: 64 * MB }

function trusted(bytes: number, { pingedAt = 0 } = {}) {
  const trust = new Trust(() => pingedAt)
  trust.sent(at, bytes, NOW)
  return trust
}

describe('P38 trust in one who does not acknowledge', () => {
  it('lets 50 MB go at once, and more than it has is read at 1 MB a second', () => {
    const trust = trusted(50 * MB)
    expect(trust.room(limits, NOW)).toEqual({ kind: 'room' })
    trust.sent(at, 16 * MB, NOW)
    expect(trust.room(limits, NOW)).toEqual({ kind: 'none', ms: 2_000 })
    expect(trust.room(limits, NOW + 1_000)).toEqual({ kind: 'none', ms: 1_000 })
    expect(trust.room(limits, NOW + 2_000)).toEqual({ kind: 'room' })
  })

  it('never ends for one who is sent less than that', () => {
    const trust = new Trust(() => 0)
    for (let second = 0; second < 3_600; second++) {
      expect(trust.room({ ...limits, trustBytes: 4 * MB }, NOW + second * 1_000).kind).toBe('room')
      trust.sent(at, 0.9 * MB, NOW + second * 1_000)
    }
  })

  it('ends after a minute at the limit, without a sign of life', () => {
    const trust = trusted(80 * MB)
    const answers = [0, 30_000, PATIENCE_MS - 1, PATIENCE_MS].map((ms) => {
      const { kind } = trust.room(limits, NOW + ms)
      // As soon as there is room it is filled again.
      trust.sent(at, 30 * MB, NOW + ms)
      return kind
    })
    expect(answers).toEqual(['none', 'none', 'none', 'too_slow'])
  })

  it('asks again when that minute is over, however much there is', () => {
    const trust = trusted(4_000 * MB)
    expect(trust.room(limits, NOW)).toEqual({ kind: 'none', ms: PATIENCE_MS })
    expect(trust.room(limits, NOW + 1_000)).toEqual({ kind: 'none', ms: PATIENCE_MS - 1_000 })
  })

  it('a ping is such a sign', () => {
    const trust = trusted(200 * MB, { pingedAt: NOW + 30_000 })
    trust.room(limits, NOW)
    expect(trust.room(limits, NOW + PATIENCE_MS).kind).toBe('none')
    expect(trust.room(limits, NOW + 30_000 + PATIENCE_MS).kind).toBe('too_slow')
  })

  it('the minute begins anew once half of it was read', () => {
    const trust = trusted(66 * MB)
    expect(trust.room(limits, NOW).kind).toBe('none')
    expect(trust.room(limits, NOW + 50_000).kind).toBe('room')
    trust.sent(at, 80 * MB, NOW + 50_000)
    expect(trust.room(limits, NOW + PATIENCE_MS).kind).toBe('none')
  })

  it('a clock that goes back reads nothing, and does no harm', () => {
    const trust = trusted(65 * MB)
    expect(trust.room(limits, NOW - 5_000)).toEqual({ kind: 'none', ms: 1_000 })
  })
})
