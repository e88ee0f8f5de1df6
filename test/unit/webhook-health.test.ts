import { describe, expect, it } from 'vitest'
import {
  afterEvent,
  type Health,
  type HealthEvent,
  OFF_AFTER_MS,
  WELL,
  whyOff,
} from '../../worker/webhooks/health.ts'

const HOUR_MS = 3_600_000
const failed = { kind: 'failed', error: '500' } as const
const succeeded = { kind: 'succeeded' } as const

/** @param events each with the hour at which it happens */
function healthAfter(
  events: readonly (readonly [number, HealthEvent])[],
  start: Health = WELL,
): Health {
  return events.reduce((health, [hour, event]) => afterEvent(health, event, hour * HOUR_MS), start)
}

const hourly = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => [from + n, failed] as const)

describe('P66: an endpoint', () => {
  it('stays on for a day of failures, and is off with the one that completes it', () => {
    expect(healthAfter(hourly(0, 23))).toMatchObject({
      kind: 'on',
      failing: { since: 0, failures: 24 },
    })
    expect(healthAfter(hourly(0, 24))).toMatchObject({
      kind: 'off',
      reason: 'failing',
      at: OFF_AFTER_MS,
      failing: { since: 0, failures: 25, lastError: '500' },
    })
  })

  it('begins a new day with each success', () => {
    const health = healthAfter([...hourly(0, 23), [23.5, succeeded], ...hourly(24, 47)])
    expect(health).toEqual({
      kind: 'on',
      lastSuccessAt: 23.5 * HOUR_MS,
      failing: { since: 24 * HOUR_MS, failures: 24, lastError: '500' },
    })
    expect(healthAfter(hourly(48, 48), health).kind).toBe('off')
  })

  it('is not off for one failure long after another', () => {
    expect(
      healthAfter([
        [0, failed],
        [1_000, failed],
      ]).kind,
    ).toBe('on')
    expect(healthAfter([0, 1, 2, 3, 1_000].map((hour) => [hour, failed])).kind).toBe('off')
  })

  it('is off at once when it says that it is gone', () => {
    expect(
      healthAfter([
        [0, succeeded],
        [1, { kind: 'gone', error: '410' }],
      ]),
    ).toEqual({
      kind: 'off',
      reason: 'gone',
      at: HOUR_MS,
      lastSuccessAt: 0,
      failing: { since: HOUR_MS, failures: 1, lastError: '410' },
    })
  })

  it('stays off, whatever comes of requests that were under way', () => {
    const off = healthAfter(hourly(0, 24))
    expect(healthAfter([[25, succeeded]], off)).toMatchObject({ kind: 'off', reason: 'failing' })
    expect(healthAfter([[25, { kind: 'gone', error: '410' }]], off)).toMatchObject({
      reason: 'failing',
      at: OFF_AFTER_MS,
    })
  })

  it('is switched off and on by a person, and then has a whole day again', () => {
    const byHand = healthAfter([
      [1, failed],
      [2, { kind: 'switched_off' }],
    ])
    expect(byHand).toMatchObject({ kind: 'off', reason: 'by_hand', at: 2 * HOUR_MS })
    const on = healthAfter([[30, { kind: 'switched_on' }]], healthAfter(hourly(0, 24)))
    expect(on).toEqual(WELL)
    expect(healthAfter(hourly(31, 54), on).kind).toBe('on')
    expect(healthAfter(hourly(31, 55), on).kind).toBe('off')
  })

  it('begins anew at another address, but does not come on by that', () => {
    const moved = [30, { kind: 'moved' }] as const
    expect(healthAfter([moved], healthAfter(hourly(0, 20)))).toEqual(WELL)
    const off = healthAfter(hourly(0, 24))
    expect(healthAfter([moved], off)).toEqual(off)
  })

  it('that is on keeps its failures when it is switched on', () => {
    const failing = healthAfter(hourly(0, 20))
    expect(healthAfter([[21, { kind: 'switched_on' }]], failing)).toEqual(failing)
  })

  it('says why nothing is sent, and what to do', () => {
    expect(whyOff(WELL)).toBeNull()
    for (const event of [{ kind: 'gone', error: '410' }, { kind: 'switched_off' }] as const)
      expect(whyOff(healthAfter([[0, event]]))).toMatch(/Switch it on again/)
    expect(whyOff(healthAfter(hourly(0, 24)))).toMatch(/a day of failures.*Switch it on again/)
  })
})
