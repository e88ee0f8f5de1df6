import { describe, expect, test } from 'vitest'
import { addSamples, noLatency, percentiles, sparkline } from '../../../client/dashboard/latency.ts'

describe('percentiles', () => {
  test('of nothing there are none', () => expect(percentiles([])).toBeNull())

  test('are the nearest ranks', () => {
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7 })
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(percentiles(hundred)).toEqual({ p50: 50, p95: 95 })
  })
})

describe('addSamples', () => {
  test('keeps the last 200 samples and the last 48 points', () => {
    let latency = noLatency
    for (let index = 0; index < 300; index++) latency = addSamples(latency, [index])
    expect(latency.samplesMs).toHaveLength(200)
    expect(latency.samplesMs.at(-1)).toBe(299)
    expect(latency.trend).toHaveLength(48)
    expect(latency.trend.at(-1)).toEqual({ p50: 199, p95: 289 })
  })

  test('of nothing makes no point', () => expect(addSamples(noLatency, [])).toEqual(noLatency))
})

describe('sparkline', () => {
  test('of nothing is nothing', () => expect(sparkline([], 100, 20)).toBeNull())

  test('of one point is level', () => {
    expect(sparkline([{ p50: 5, p95: 10 }], 100, 20)?.line).toBe('M0,10L100,10')
  })

  test('puts the highest p95 at the top and 0 at the bottom', () => {
    const trend = [
      { p50: 0, p95: 0 },
      { p50: 5, p95: 10 },
    ]
    expect(sparkline(trend, 100, 20)).toEqual({
      line: 'M0,19L100,10',
      band: 'M0,19L100,10L100,1L0,19Z',
    })
  })
})
