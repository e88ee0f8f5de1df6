import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { verifyProvider } from '../../worker/api/provider-signature.ts'

const NOW = Date.UTC(2026, 10, 21, 8, 33, 55)
const secretOf = (key: string) => `whsec_${Buffer.from(key).toString('base64')}`
const [PRESENT, PREVIOUS, STRANGE] = ['the present key', 'the one before', 'a stranger’s']
const BODY = '{"type":"email.sent","to":"ä😀"}'
const bytes = (text: string) => new TextEncoder().encode(text)

/** As Standard Webhooks has it, not as the library does. */
function sign(key: string, { id = 'msg_1', at = NOW / 1000, body = BODY } = {}): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`
}

function headers(signature: string, { id = 'msg_1', at = `${NOW / 1000}`, prefix = 'svix' } = {}) {
  return new Map([
    [`${prefix}-id`, id],
    [`${prefix}-timestamp`, at],
    [`${prefix}-signature`, signature],
  ])
}

function verify(
  sent: Map<string, string>,
  body: Uint8Array = bytes(BODY),
  secrets: (string | undefined)[] = [secretOf(PRESENT), secretOf(PREVIOUS)],
) {
  return verifyProvider((name) => sent.get(name), body, secrets)
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('P61 a webhook of the provider', () => {
  test.each([
    ['with the present secret', headers(sign(PRESENT))],
    ['with the one before', headers(sign(PREVIOUS))],
    ['with both', headers(`${sign(STRANGE)} ${sign(PREVIOUS)} ${sign(PRESENT)}`)],
    ['under the names of Standard Webhooks', headers(sign(PRESENT), { prefix: 'webhook' })],
  ])('is genuine when it is signed %s', (_, sent) => {
    expect(verify(sent)).toEqual({ kind: 'genuine', id: 'msg_1', body: BODY })
  })

  test.each([-300, 300])('is good for five minutes either way: %s s', (seconds) => {
    const at = NOW / 1000 + seconds
    expect(verify(headers(sign(PRESENT, { at }), { at: `${at}` })).kind).toBe('genuine')
  })

  test.each([-301, 301, -86_400, 86_400])('is refused at another time: %s s', (seconds) => {
    const at = NOW / 1000 + seconds
    expect(verify(headers(sign(PRESENT, { at }), { at: `${at}` })).kind).toBe('refused')
  })

  test.each([
    ['nothing', new Map()],
    ['no signature', headers('')],
    ['no id', headers(sign(PRESENT, { id: '' }), { id: '' })],
    ['no time', headers(sign(PRESENT), { at: '' })],
    ['a stranger’s signature', headers(sign(STRANGE))],
    ['a signature of another version', headers(sign(PRESENT).replace('v1', 'v2'))],
    ['a signature without its version', headers(sign(PRESENT).slice(3))],
    ['only a version', headers('v1')],
    ['half a signature', headers(sign(PRESENT).slice(0, 20))],
    ['another id', headers(sign(PRESENT), { id: 'msg_2' })],
    ['another time', headers(sign(PRESENT), { at: `${NOW / 1000 + 1}` })],
    ['a time that is none', headers(sign(PRESENT), { at: 'now' })],
    ['an id with a dot', headers(sign(PRESENT, { id: 'a.1' }), { id: 'a.1' })],
    ['junk', headers('\u0000,,, v1,\u{1f600} '.repeat(500))],
  ])('is refused with %s', (_, sent) => {
    expect(verify(sent as Map<string, string>)).toEqual({
      kind: 'refused',
      why: expect.stringMatching(/must all be sent|RESEND_WEBHOOK_SECRET/),
    })
  })

  test.each([
    ['another letter', bytes(BODY.replace('sent', 'sEnt'))],
    ['a space more', bytes(`${BODY} `)],
    ['a byte order mark before it', bytes(`\ufeff${BODY}`)],
    ['nothing of it', bytes('')],
    ['no UTF-8', Uint8Array.of(0xff, 0xfe, 0x7b)],
  ])('is refused with a body that has %s', (_, body) => {
    expect(verify(headers(sign(PRESENT)), body).kind).toBe('refused')
  })

  test('bytes that would only read like the signed text are refused', () => {
    const sent = headers(sign(PRESENT, { body: '\ufffd' }))
    expect(verify(sent, bytes('\ufffd')).kind).toBe('genuine')
    expect(verify(sent, Uint8Array.of(0xff)).kind).toBe('refused')
  })
})

describe('without a secret that is one', () => {
  test.each([
    [[undefined, undefined], /is not set/],
    [['', undefined], /is not set/],
    [['whsec_', undefined], /begins with whsec_/],
    [['not base64!', undefined], /begins with whsec_/],
    [[secretOf(PRESENT), 'not base64!'], /begins with whsec_/],
  ])('%j nothing is genuine, and it says so', (secrets, why) => {
    expect(verify(headers(sign(PRESENT)), bytes(BODY), secrets)).toEqual({
      kind: 'unconfigured',
      why: expect.stringMatching(why),
    })
  })

  test('the one before is enough', () => {
    const secrets = [undefined, secretOf(PREVIOUS)]
    expect(verify(headers(sign(PREVIOUS)), bytes(BODY), secrets).kind).toBe('genuine')
  })
})
