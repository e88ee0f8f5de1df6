import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mutations } from './mutations.ts'
import { seeds } from './seeds.ts'

/** `npm run test:simulation` runs a hundred thousand, and asks that they reach everything. */
const SCHEDULES = 4_000
const DEADLINE_MS = 120_000

/** In a process of its own, whose clock and network it takes. */
async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
  const runner = fileURLToPath(new URL('run.ts', import.meta.url))
  const child = spawn(process.execPath, [runner, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const said = await text(child.stdout)
  return { code: await exit, said }
}

describe('any order of events, with faults', () => {
  test(
    'every promise is kept',
    async () => {
      const { code, said } = await run('--schedules', String(SCHEDULES))
      expect(code, said).toBe(0)
    },
    DEADLINE_MS,
  )

  test.each(Object.entries(seeds))('%s (seed %i)', async (_, seed) => {
    const { code, said } = await run('--schedules', '1', '--seed', String(seed))
    expect(code, said).toBe(0)
  })
})

describe('a broken decision is found', () => {
  test.each(Object.entries(mutations))(
    '%s',
    async (broken, { found, from, within }) => {
      const { code, said } = await run(
        '--schedules',
        String(within),
        '--seed',
        String(from),
        '--broken',
        broken,
      )
      const violation = /^verdict: VIOLATED in schedule \d+, after \d+ steps: (.*)$/m.exec(
        said,
      )?.[1]
      expect(violation, said.slice(-2_000)).toMatch(found)
      expect(code).toBe(1)
    },
    DEADLINE_MS,
  )
})
