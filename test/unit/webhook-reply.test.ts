import { describe, expect, it } from 'vitest'
import { judge, judgeTogether, type Reply } from '../../worker/webhooks/reply.ts'

const NOW = Date.parse('2026-11-21T08:00:00.000Z')

function answer(status: number, fields: Partial<Reply & { kind: 'answer' }> = {}): Reply {
  return { kind: 'answer', status, retryAfter: null, location: null, text: '', ...fields }
}

describe('P66 P67: what an endpoint’s reply means', () => {
  it.each([200, 201, 202, 204, 299])('%i is a success', (status) => {
    expect(judge(answer(status), NOW)).toEqual({
      outcome: { kind: 'sent', providerId: null },
      event: { kind: 'succeeded' },
    })
  })

  it.each<[string, Reply, boolean]>([
    ['no answer', { kind: 'none', error: 'connection refused' }, true],
    ['100', answer(100), true],
    ['301', answer(301), true],
    ['307', answer(307), true],
    ['401', answer(401), true],
    ['404', answer(404), true],
    ['500', answer(500), true],
    ['503', answer(503), true],
    ['503 with a time that cannot be read', answer(503, { retryAfter: 'soon' }), true],
    ['503 with a time that is past', answer(503, { retryAfter: '-5' }), true],
    ['400', answer(400), false],
    ['413', answer(413), false],
    ['422', answer(422), false],
  ])('%s is tried again, and never in doubt', (_, reply, down) => {
    const { outcome, event } = judge(reply, NOW)
    expect(outcome).toMatchObject({ kind: 'retry', inDoubt: false, down, afterMs: null })
    expect(event.kind).toBe('failed')
  })

  it.each([
    [429, '120', 120_000],
    [429, null, null],
    [429, 'Sat, 21 Nov 2026 08:01:00 GMT', 60_000],
    [503, '30', 30_000],
    [503, '0', 5_000],
    [429, '0', 5_000],
  ])(
    '%i with retry-after %s waits, and is a failure all the same',
    (status, retryAfter, afterMs) => {
      const { outcome, event } = judge(answer(status, { retryAfter }), NOW)
      expect(outcome).toMatchObject({ kind: 'hold', afterMs })
      expect(event.kind).toBe('failed')
    },
  )

  it('410 says that it is gone', () => {
    const error = 'The endpoint answered 410: closed for good'
    expect(judge(answer(410, { text: 'closed for good' }), NOW)).toEqual({
      outcome: { kind: 'refused', error },
      event: { kind: 'gone', error },
    })
  })

  it('a redirect says where it would lead, and what to do', () => {
    const { outcome } = judge(answer(302, { location: 'https://10.0.0.1/' }), NOW)
    expect(outcome).toMatchObject({
      error: expect.stringMatching(/302 to https:\/\/10\.0\.0\.1\/\..*register/),
    })
  })
})

describe('several that were made together', () => {
  const [ok, bad, gone] = [200, 500, 410].map((status) => judge(answer(status), NOW)) as [
    ReturnType<typeof judge>,
    ReturnType<typeof judge>,
    ReturnType<typeof judge>,
  ]

  it('fail together only if none succeeded', () => {
    expect(judgeTogether([bad, bad])).toMatchObject({
      event: { kind: 'failed' },
      outcomes: [{ down: true }, { down: true }],
    })
    expect(judgeTogether([bad, ok, bad])).toMatchObject({
      event: { kind: 'succeeded' },
      outcomes: [{ kind: 'retry', down: false }, { kind: 'sent' }, { kind: 'retry', down: false }],
    })
  })

  it('end it all if one says that it is gone', () => {
    expect(judgeTogether([ok, gone, bad]).event.kind).toBe('gone')
  })
})
