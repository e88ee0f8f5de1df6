import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Life, type LifeEvent, live, wakeAt } from '../../client/sdk/lifecycle.ts'
import { ANSWER_WITHIN_MS, OPEN } from '../../client/sdk/session.ts'
import { events, liveSince, lives, NOW, sessionOf, withTickets } from './lives.ts'

describe('the session of a socket', () => {
  it('P96 asks one question at a time, and sends only what it was given for that socket', () => {
    const anything = fc.constantFrom<LifeEvent>(...Object.values(events))
    const history = fc.array(fc.tuple(anything, fc.nat(20_000)), { maxLength: 120 })
    fc.assert(
      fc.property(history, (steps) => {
        let now = NOW
        let life: Life = lives['live for long']
        let asked = Number.NEGATIVE_INFINITY
        for (const [event, ms] of steps) {
          now += ms
          const before = life
          const [next, effects] = live(life, event, { ...withTickets, now })
          life = next
          const did = effects.map((effect) => effect.do)
          if (did.includes('renew')) {
            expect(life).toMatchObject({ state: 'live', session: { state: 'asking' } })
            // The one before was answered, given up, or of a socket that was left.
            expect(sessionOf(before)).toBe('resting')
            asked = now
          }
          if (did.includes('refresh')) {
            expect([event.type, sessionOf(before)]).toEqual(['token_renewed', 'asking'])
            expect(asked).toBeGreaterThan(Number.NEGATIVE_INFINITY)
          }
          if (did.includes('drop')) expect(sessionOf(life)).toBeNull()
        }
      }),
    )
  })

  it('P96 is prolonged before it ends, though tokens and answers are lost', () => {
    const failures = fc.array(fc.constantFrom('no token', 'no answer'), { maxLength: 3 })
    const length = fc.integer({ min: 300_000, max: 30 * 86_400_000 })
    const dice = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(failures, length, dice, (failing, expiresInMs, random) => {
        const given = { ...withTickets, random }
        const told = { type: 'session_told', expiresInMs } as const
        let [life] = live(liveSince(NOW, NOW), told, { ...given, now: NOW })
        for (const what of [...failing, 'none']) {
          const askedAt = untilAsked()
          expect(askedAt - NOW).toBeGreaterThanOrEqual(expiresInMs / 2)
          expect(askedAt).toBeLessThan(NOW + expiresInMs)
          const event = what === 'no token' ? 'no new token' : 'a new token'
          ;[life] = live(life, events[event], { ...given, now: askedAt })
        }
        expect(sessionOf(life)).toBe('refreshing')
        ;[life] = live(life, told, { ...given, now: NOW + expiresInMs - 1 })
        expect(life).toMatchObject({ session: { state: 'resting', failures: 0 } })

        /** Lets time pass, and heartbeats come. @returns when a token was asked for */
        function untilAsked(): number {
          for (;;) {
            const now = wakeAt(life) ?? Number.NaN
            const [heard] = live(life, events.heard, { ...given, now })
            const [next, effects] = live(heard, events.woke, { ...given, now })
            life = next
            if (effects.some((effect) => effect.do === 'renew')) return now
          }
        }
      }),
    )
  })

  it('P96 an answer that does not come within five seconds is asked for again', () => {
    const [life] = live(lives['live, asking for a token'], events['a new token'], withTickets)
    expect(wakeAt(life)).toBe(NOW + ANSWER_WITHIN_MS)
    const [late] = live(life, events.woke, { ...withTickets, now: NOW + ANSWER_WITHIN_MS })
    expect(late).toMatchObject({ session: { state: 'resting', failures: 3 } })
  })
})

describe('when a new token is asked for', () => {
  const askedAfter = (expiresInMs: number) => {
    const told = { type: 'session_told', expiresInMs } as const
    const [life] = live(liveSince(NOW, NOW), told, withTickets)
    return life.state === 'live' && life.session.state === 'resting'
      ? life.session.askAt - NOW
      : null
  }

  it.each([
    [3_600_000, 2_880_000],
    [100_000, 80_000],
    [50_000, 40_000],
    [30_000, 20_000],
    [20_000, 10_000],
    [10_000, 5_000],
    [2_000, 1_000],
    [0, 1_000],
  ])('P96 of a session that ends in %i ms: after %i ms', (expiresInMs, afterMs) => {
    expect(askedAfter(expiresInMs)).toBe(afterMs)
  })

  it('P96 nobody is asked where the token is a text: the server will end it', () => {
    const told = events['told that it ends']
    const [life] = live(lives['live for long'], told, { ...withTickets, renews: false })
    expect(life).toMatchObject({ state: 'live', session: OPEN })
  })
})
