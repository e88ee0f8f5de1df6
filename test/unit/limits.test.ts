import { describe, expect, it } from 'vitest'
import { limitsFor, pauseAfter, WINDOW_BYTES } from '../../worker/shard/limits.ts'

const KB = 1024
const MB = KB * KB

describe('P39 what may lie between a shard and its subscribers', () => {
  it.each([
    [0, 4 * MB, 512 * KB],
    [1, 4 * MB, 512 * KB],
    [16, 4 * MB, 512 * KB],
    [32, 2 * MB, 512 * KB],
    [64, MB, 512 * KB],
    [1_000, MB, 512 * KB],
    [30_000, MB, 512 * KB],
  ])('%d who acknowledge: a window of %d bytes, pages of %d characters', (acking, window, page) => {
    expect(limitsFor(acking, 7)).toMatchObject({ windowBytes: window, pageCharacters: page })
  })

  it.each([
    [0, 64],
    [4, 64],
    [16, 16],
    [64, 4],
    [1_000, 4],
  ])('%d who do not: each is trusted with %d MB', (silent, mb) => {
    expect(limitsFor(3, silent).trustBytes).toBe(mb * MB)
  })

  it('the window never becomes smaller than `hello` said, and a page fits into half of it', () => {
    for (let acking = 0; acking < 3_000; acking++) {
      const { windowBytes, pageCharacters } = limitsFor(acking, 0)
      expect(windowBytes).toBeGreaterThanOrEqual(WINDOW_BYTES)
      expect(pageCharacters).toBeLessThanOrEqual(windowBytes / 2)
    }
  })

  it('P36 a few sockets are told at once, a thousand no sooner than they can take it', () => {
    expect([1, 100, 300].map(pauseAfter)).toEqual([0, 0, 0])
    expect(pauseAfter(1_000)).toBeCloseTo(50.4)
  })
})
