import { vi } from 'vitest'
import type { CapturedChange } from '../../protocol/change.ts'
import type { TestLink } from './link.ts'

/** A beat as the listener hears it from Postgres, written now if not told otherwise. */
export function beatOf(beat: number, writtenAt = Date.now()): CapturedChange {
  const at = new Date(writtenAt).toISOString().replace('Z', '000+00:00')
  return {
    id: crypto.randomUUID(),
    table: 'belfry.canary',
    op: 'update',
    key: { only_one: true },
    new: { only_one: true, beat, at },
    old: { only_one: true, beat: beat - 1, at },
    at,
  }
}

/** Call it before anything else that is told the time. */
export function holdTheClock(): void {
  vi.useFakeTimers({ toFake: ['Date'] })
}

export function letTimePass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

/** As a listener that lives: a pulse and a beat every 5 s. */
export async function live(link: TestLink, from: number, beats: number): Promise<void> {
  for (let beat = from; beat < from + beats; beat++) {
    letTimePass(5_000)
    link.say({ type: 'pulse', state: 'asleep', lagMs: 0 })
    await link.deliver([beatOf(beat)])
  }
}
