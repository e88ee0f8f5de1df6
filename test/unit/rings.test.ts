import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Rings } from '../../listener/rings.ts'

describe('Rings', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('P12 a ring heard before the wait ends it at once', async () => {
    const rings = new Rings()
    rings.ring()
    expect(await rings.wait(60_000)).toBe(true)
    expect(rings.take()).toBe(1)
  })

  test('P12 a ring heard during the wait ends it', async () => {
    const rings = new Rings()
    const waiting = rings.wait(60_000)
    rings.ring()
    rings.ring()
    expect(await waiting).toBe(true)
    expect(rings.take()).toBe(2)
    expect(rings.take()).toBe(0)
  })

  test('without a ring the wait ends when its time is up, and says so', async () => {
    const rings = new Rings()
    const waiting = rings.wait(5_000)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await waiting).toBe(false)
  })

  test('an interruption ends the wait and is no ring', async () => {
    const rings = new Rings()
    const waiting = rings.wait(60_000)
    rings.interrupt()
    expect(await waiting).toBe(false)
    expect(rings.take()).toBe(0)
  })

  test('a wait that is over leaves no timer and disturbs no later one', async () => {
    const rings = new Rings()
    const first = rings.wait(60_000)
    rings.ring()
    await first
    rings.take()
    expect(vi.getTimerCount()).toBe(0)
    const second = rings.wait(1_000)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await second).toBe(false)
  })
})
