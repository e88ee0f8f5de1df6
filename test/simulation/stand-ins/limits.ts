import { current } from '../current.ts'

/** In place of worker/shard/limits.ts: the same, a thousandth of it, as there is so little to say. */
export const WINDOW_BYTES = 600

export function limitsFor(): { windowBytes: number; trustBytes: number; pageCharacters: number } {
  const { windowBytes, trustBytes, pageCharacters } = current()
  return { windowBytes, trustBytes, pageCharacters }
}

export function pauseAfter(frames: number): number {
  const { random } = current().world
  return frames > 0 && random.chance(0.2) ? 5 : 0
}
