import { describe, expect, test } from 'vitest'
import { PRESENCE_MS } from '../../protocol/link.ts'
import {
  afterFailure,
  afterLink,
  afterLook,
  type DrainState,
  IDLE_LOOK_MS,
  LOOK_MS,
  nextAt,
  observe,
  silentSince,
} from '../../worker/feed/drain.ts'

const NOW = 1_000_000
const listener: DrainState = { by: 'listener' }
const waiting = silentSince(NOW - 1_000)
const failing: DrainState = {
  by: 'nobody',
  since: NOW - 60_000,
  dueAt: NOW,
  failures: 2,
  error: 'down',
}
const draining: DrainState = {
  by: 'feed',
  since: NOW - 60_000,
  dueAt: NOW,
  lastAt: NOW - 5_000,
  idle: 1,
}
/** Every state, by name: one that is missing does not compile. */
const states = { listener, waiting, failing, draining }
type Named = keyof typeof states
const names = Object.keys(states) as Named[]

describe('observing the links', () => {
  test.each(names)('P24 a listener heard in the last 15 s ends %s', (name) => {
    expect(observe(states[name], NOW - PRESENCE_MS, NOW)).toEqual(listener)
  })

  const silent: Record<Named, DrainState> = {
    listener: silentSince(NOW - PRESENCE_MS - 1),
    waiting,
    failing,
    draining,
  }
  test.each(names)('P24 one that was heard before that leaves %s to itself', (name) => {
    expect(observe(states[name], NOW - PRESENCE_MS - 1, NOW)).toEqual(silent[name])
  })

  test('P24 where no link is, and none is known to have been, silence begins now', () => {
    expect(observe(listener, null, NOW)).toEqual(silentSince(NOW))
    expect(observe(waiting, null, NOW)).toBe(waiting)
  })

  test('P24 the feed looks 15 s after the last word, and not before', () => {
    expect(nextAt(silentSince(NOW), null, NOW)).toBe(NOW + PRESENCE_MS)
    const heardAt = NOW - 4_000
    const at = nextAt(listener, heardAt, NOW)
    expect(observe(listener, heardAt, at - 1)).toEqual(listener)
    expect(observe(listener, heardAt, at)).toMatchObject({ by: 'nobody', since: heardAt })
    expect(nextAt(observe(listener, heardAt, at), heardAt, at)).toBeLessThanOrEqual(at)
  })
})

describe('a link that closes', () => {
  const spokeAt = NOW - 4_000
  test.each(names)('P24 makes %s wait for 15 s since its last word', (name) => {
    expect(afterLink(states[name], spokeAt, null, NOW)).toEqual(silentSince(spokeAt))
  })

  test.each(names)('P24 makes no difference to %s beside another that was heard', (name) => {
    expect(afterLink(states[name], spokeAt, NOW - 1, NOW)).toEqual(listener)
  })

  const long: Record<Named, DrainState> = {
    listener: silentSince(NOW - 40_000),
    waiting,
    failing,
    draining,
  }
  test.each(names)('P24 and had been silent for long leaves %s as it was', (name) => {
    expect(afterLink(states[name], NOW - 40_000, null, NOW)).toEqual(long[name])
  })
})

describe('a look', () => {
  const found = { found: 3, more: false, now: NOW }
  const nothing = { found: 0, more: false, now: NOW }

  test.each(names)('P24 that ends while a listener is there changes nothing (%s)', (name) => {
    if (states[name].by === 'listener') {
      expect(afterLook(states[name], found)).toBe(states[name])
      expect(afterFailure(states[name], { error: 'x', now: NOW, random: 0 })).toBe(states[name])
    } else expect(afterLook(states[name], found).by).toBe('feed')
  })

  test('P24 comes every 5 s while it finds something, at once while there is more', () => {
    expect(afterLook(draining, found)).toEqual({
      ...draining,
      dueAt: NOW + LOOK_MS,
      lastAt: NOW,
      idle: 0,
    })
    expect(nextAt(afterLook(draining, { ...found, more: true }), null, NOW)).toBe(NOW)
  })

  test('P24 becomes rarer while it finds nothing, down to every 15 s', () => {
    let state = afterLook(waiting, nothing)
    const waits = []
    for (let looks = 0; looks < 6; looks++) {
      waits.push(nextAt(state, null, NOW) - NOW)
      state = afterLook(state, nothing)
    }
    expect(waits).toEqual([5_000, 10_000, 15_000, 15_000, 15_000, 15_000])
    expect(waits.at(-1)).toBe(IDLE_LOOK_MS)
    expect(nextAt(afterLook(state, found), null, NOW)).toBe(NOW + LOOK_MS)
  })

  test('says since when the feed drains, not since when it was silent', () => {
    expect(afterLook(waiting, nothing)).toMatchObject({ by: 'feed', since: NOW })
    expect(afterLook(draining, nothing)).toMatchObject({ by: 'feed', since: draining.since })
  })
})

describe('a failure', () => {
  test('P24 is said, and the next look comes later each time, within a minute', () => {
    let state: DrainState = draining
    const ceilings = []
    for (let failures = 1; failures <= 6; failures++) {
      state = afterFailure(state, { error: `failure ${failures}`, now: NOW, random: 0.999_999 })
      expect(state).toMatchObject({ by: 'nobody', since: NOW, failures })
      ceilings.push(nextAt(state, null, NOW) - NOW)
    }
    expect(ceilings).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
    expect(afterFailure(state, { error: 'x', now: NOW, random: 0 })).toMatchObject({ dueAt: NOW })
  })

  test('is over with the first look that succeeds', () => {
    const state = afterLook(failing, { found: 0, more: false, now: NOW })
    expect(state).toEqual({ by: 'feed', since: NOW, dueAt: NOW + LOOK_MS, lastAt: NOW, idle: 1 })
  })
})
