import type { Env } from '../env.ts'

/** How many objects share what is kept of those who ask. */
export const DOORS = 16

/** @returns the number of the object that keeps the budget and the tickets of this name */
export function doorOf(name: string): number {
  // FNV-1a.
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) {
    hash ^= name.charCodeAt(at)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % DOORS
}

export function doorkeeper(env: Pick<Env, 'DOORKEEPER'>, door: number) {
  return env.DOORKEEPER.getByName(`door-${door}`)
}
