import { createHmac, randomUUID } from 'node:crypto'
import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/** What comes from the provider of mail, or says that it does. */
const HOOK = '/webhooks/resend'
const REFUSED = '401 invalid_signature'
const key = (secret: string) => Buffer.from(secret.replace('whsec_', ''), 'base64')

const event = (type = 'email.delivered') =>
  JSON.stringify({ type, created_at: new Date().toISOString(), data: { email_id: randomUUID() } })

type Sent = { id: string; at: number; body: string | Uint8Array<ArrayBuffer>; signature: string }

export const consumption: readonly Attack[] = [
  hooks('good', 'A good event of the provider, thrice, for comparison', '204', () => {
    const good = signed()
    return [
      ['first', good],
      ['again', good],
      ['once more', good],
    ]
  }),
  hooks('unsigned', 'Events that are unsigned, or signed with something else', REFUSED, () => {
    const good = signed()
    const other = key('whsec_c29tZWJvZHkgZWxzZXMgc2VjcmV0IGFsdG9nZXRoZXI=')
    return [
      ['no signature', { ...good, signature: '' }],
      ['another secret', signed({ with: other })],
      ['the secret as text', signed({ with: Buffer.from(secrets.RESEND_WEBHOOK_SECRET) })],
      ['an empty secret', signed({ with: Buffer.alloc(0) })],
      ['the link’s secret', signed({ with: Buffer.from(secrets.LINK_SECRET) })],
      ['nonsense', { ...good, signature: 'v1,AAAA' }],
      ['a version of its own', { ...good, signature: good.signature.replace('v1,', 'v2,') }],
      ['v1a', { ...good, signature: good.signature.replace('v1,', 'v1a,') }],
      ['without its version', { ...good, signature: good.signature.slice(3) }],
      ['cut off', { ...good, signature: good.signature.slice(0, -3) }],
      ['a thousand of them', { ...good, signature: Array(1_000).fill('v1,AAAA').join(' ') }],
    ]
  }),
  hooks('time', 'Events signed at another time', REFUSED, () => {
    const now = Math.floor(Date.now() / 1000)
    return [
      ['6 minutes ago', signed({ at: now - 360 })],
      ['in 6 minutes', signed({ at: now + 360 })],
      ['in 1970', signed({ at: 0 })],
      ['never', { ...signed(), at: Number.NaN }],
      ['before 1970', signed({ at: -now })],
      ['another than was signed', { ...signed({ at: now - 360 }), at: now }],
    ]
  }),
  hooks('altered', 'Signed events that were altered on the way', REFUSED, () => {
    const good = signed({ id: 'msg_a.b' })
    const plain = signed()
    return [
      ['another body', { ...plain, body: event('email.bounced') }],
      ['a space more', { ...plain, body: `${plain.body} ` }],
      ['another id', { ...plain, id: 'msg_other' }],
      ['cut elsewhere', { ...good, id: 'msg_a', body: `b.${good.body}` }],
      ['no UTF-8', { ...plain, body: new Uint8Array([...Buffer.from(String(plain.body)), 0xff]) }],
      ['an empty one', { ...plain, body: '' }],
    ]
  }),
  hooks('unreadable', 'Well signed, and no event', /^(422 invalid_event|204)$/, () =>
    [
      ...[
        '',
        'null',
        '[]',
        '"x"',
        '{',
        '{}',
        '{"type":1}',
        '{"type":"email.delivered"}',
        '{"type":"email.delivered","data":null}',
      ],
      ...[
        '{"type":"email.delivered","created_at":"yesterday","data":{"email_id":"x"}}',
        '{"__proto__":{"type":"email.bounced"}}',
      ],
      ...[
        `{"type":"email.delivered","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
        '{"type":"email.unheard-of","data":{}}',
      ],
    ].map((body): [string, Sent] => [body.slice(0, 40), signed({ body })]),
  ),
  hooks('huge', 'Well signed, and of 300 kB', '413 body_too_large', () => [
    ['huge', signed({ body: JSON.stringify({ type: 'x', pad: 'x'.repeat(300_000) }) })],
  ]),
]

function hooks(
  id: string,
  what: string,
  wanted: string | RegExp,
  make: () => [string, Sent][],
): Attack {
  return {
    id: `consumption.${id}`,
    owasp: 'API10',
    what,
    expected: ALL,
    how: async (world) =>
      tally(
        await inParallel(make(), async ([name, sent]) =>
          probe(name, await hear(world, sent), wanted),
        ),
      ),
  }
}

async function hear(world: World, { id, at, body, signature }: Sent): Promise<string> {
  const headers = { 'svix-id': id, 'svix-timestamp': String(at), 'svix-signature': signature }
  return got(await world.ask(HOOK, { method: 'POST', raw: body, headers }))
}

function signed(given: { id?: string; at?: number; body?: string; with?: Buffer } = {}): Sent {
  const { id = `msg_${randomUUID()}`, at = Math.floor(Date.now() / 1000), body = event() } = given
  const mac = createHmac('sha256', given.with ?? key(secrets.RESEND_WEBHOOK_SECRET))
  return { id, at, body, signature: `v1,${mac.update(`${id}.${at}.${body}`).digest('base64')}` }
}
