import fc from 'fast-check'

/** What becomes of a body that was as it should be. */
export type Mutation =
  | { kind: 'none' }
  | { kind: 'unknown field'; name: string; value: unknown }
  | { kind: 'field left out'; at: number }
  | { kind: 'field replaced'; at: number; value: unknown }
  | { kind: 'whole replaced'; value: unknown }
  | { kind: 'cut off'; at: number }

/** Names that have meant something to some program. */
const KNOWN_NAMES = [
  '__proto__',
  'constructor',
  'id',
  'version',
  'hash',
  'scopes',
  '',
  '$ref',
  'toString',
]

/** Values on which programs have stumbled. */
const STUMBLES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1e21, 1e308, 5e-324, 2 ** 53, -(2 ** 53), 2 ** 31, 0.1 + 0.2],
  ...['', ' ', '\0', '\ud800', '\u202e', 'null', 'NaN', '-0', '1e5', '0x10', '../..', '%00', '{n}'],
  ...["' OR 1=1 --", '#{7*7}', '{column}', 'x'.repeat(5_000), '9'.repeat(400), '1970-01-01'],
  ...['infinity', 'epoch', '+275760-09-13T00:00:00.001Z', '0000-01-01T00:00:00Z', '24:00'],
  ...[[], {}, [[]], [null], { toString: null }, { length: -1 }, new Array(300).fill(0)],
]

const stumble = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...STUMBLES) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Mutation>({ kind: 'none' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('unknown field' as const),
      name: fc.oneof(fc.constantFrom(...KNOWN_NAMES), fc.string({ maxLength: 20 })),
      value: stumble,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('field left out' as const), at: fc.nat(20) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('field replaced' as const),
      at: fc.nat(40),
      value: stumble,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('whole replaced' as const), value: stumble }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut off' as const), at: fc.nat(30) }) },
)

/** @returns the text that is sent */
export function mutate(body: unknown, how: Mutation): string {
  switch (how.kind) {
    case 'none':
      return text(body)
    case 'whole replaced':
      return text(how.value)
    case 'cut off':
      return text(body).slice(0, how.at)
    case 'unknown field': {
      // As text, because an object would take `__proto__` for its prototype.
      const rest = text(body)
      const field = `${JSON.stringify(how.name)}:${text(how.value)}`
      return rest.startsWith('{') && rest !== '{}' ? `{${field},${rest.slice(1)}` : `{${field}}`
    }
    case 'field left out':
    case 'field replaced': {
      const places = placesIn(body)
      const place = places[how.at % Math.max(places.length, 1)]
      if (!place) return text(body)
      const value = how.kind === 'field replaced' ? how.value : undefined
      return text(withPlace(body, place, value))
    }
  }
}

type Place = readonly (string | number)[]

function placesIn(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => {
    const here = [...at, key]
    return [here, ...placesIn(each, here)]
  })
}

function withPlace(value: unknown, [first, ...rest]: Place, put: unknown): unknown {
  if (first === undefined) return put
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  const fields = copy as Record<string | number, unknown>
  const changed = withPlace(fields[first], rest, put)
  if (changed === undefined) delete fields[first]
  else fields[first] = changed
  return copy
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}
