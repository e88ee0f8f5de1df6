import type { World } from './world.ts'

/** The lines of the OWASP API Security Top 10 of 2023. */
export const owasp = {
  API1: 'Broken object level authorization',
  API2: 'Broken authentication',
  API3: 'Broken object property level authorization',
  API4: 'Unrestricted resource consumption',
  API5: 'Broken function level authorization',
  API6: 'Unrestricted access to sensitive business flows',
  API7: 'Server side request forgery',
  API8: 'Security misconfiguration',
  API9: 'Improper inventory management',
  API10: 'Unsafe consumption of APIs',
} as const
export type Owasp = keyof typeof owasp

/**
 * One attack. `how` carries it out and says in a few words what it got; that is held against
 * `expected`, so a row of the table is also what a reader of it sees.
 */
export type Attack = {
  /** Short and stable: `--only` takes a part of it. */
  id: string
  owasp: Owasp
  what: string
  how: (world: World) => Promise<string>
  expected: string | RegExp
  /** It is begun before all others, and waits for something meanwhile. */
  early?: true
}

export function isExpected(got: string, expected: string | RegExp): boolean {
  return typeof expected === 'string' ? got === expected : expected.test(got)
}

/** One of many probes of an attack, and what is wrong with what it got; null: nothing. */
export type Probe = { name: string; got: string; wrong: string | null }

const SHOWN = 4

/** @returns `all 14: 401 unauthorized ×9, 403 forbidden ×5`, or which were wrong */
export function tally(probes: readonly Probe[]): string {
  const wrong = probes.filter((probe) => probe.wrong !== null)
  if (probes.length === 0) return 'nothing was tried'
  if (wrong.length > 0) {
    const shown = wrong.slice(0, SHOWN).map(({ name, wrong: why }) => `${name}: ${why}`)
    const more = wrong.length > SHOWN ? ` … and ${wrong.length - SHOWN} more` : ''
    return `${wrong.length} of ${probes.length} wrong: ${shown.join('; ')}${more}`
  }
  const counts = new Map<string, number>()
  for (const { got } of probes) counts.set(got, (counts.get(got) ?? 0) + 1)
  const kinds = [...counts].map(([got, count]) => `${got} ×${count}`)
  return `all ${probes.length}: ${kinds.join(', ')}`
}

/** What `tally` says when nothing was wrong. */
export const ALL = /^all \d+: /

/** For the rows of one subject. */
export function attacksOf(owasp: Owasp, subject: string) {
  return (id: string, what: string, expected: Attack['expected'], how: Attack['how']): Attack => ({
    id: `${subject}.${id}`,
    owasp,
    what,
    expected,
    how,
  })
}

/** @param wanted what it should get: the text itself, or any that fits */
export function probe(name: string, got: string, wanted: string | RegExp): Probe {
  return { name, got, wrong: isExpected(got, wanted) ? null : `${got}, not ${wanted}` }
}

/** As many at once as the machine has use for; results stand in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
  atOnce = 8,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await act(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}
