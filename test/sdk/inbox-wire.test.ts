import { describe, expect, it } from 'vitest'
import { frameFrom, notificationFrom, pageFrom } from '../../client/sdk/inbox-wire.ts'
import { refreshedFrame } from '../../protocol/frames.ts'
import { inboxFrame } from '../../protocol/inbox-frames.ts'
import { counts, notification } from '../../protocol/notification.ts'

const one = {
  id: 7,
  category: 'orders',
  title: 'Shipped',
  content: { text: 'Soon there.' },
  link: '/orders/5',
  delivered_at: '2026-11-21T08:33:55.123456+00:00',
  expires_at: null,
  seen: true,
  read: false,
  archived: false,
}
const counted = { unseen: 0, unread: 2, capped: false }
const frames = {
  hello: { type: 'hello', protocol: 1, epoch: 'k3v', after: 0, counts: counted },
  reset: { type: 'reset', reason: 'pruned', epoch: 'k3v', head: 41, counts: counted },
  notifications: {
    type: 'notifications',
    epoch: 'k3v',
    after: 41,
    through: 43,
    all: { read: '2026-11-21T08:33:55.1+00:00' },
    notifications: [one],
    removed: [3],
    counts: counted,
  },
}
/** What may stand in any place of a JSON text. */
const strange = [undefined, null, true, 0, 1, -1, 1.5, 1e21, '', 'x'.repeat(33), [], [null], {}]

/** The value with something strange in each of its places, one at a time. */
function* spoiled(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, held] of Object.entries(value)) {
    const copy = (other: unknown) =>
      Array.isArray(value)
        ? value.with(Number(key), other)
        : Object.fromEntries(
            Object.entries({ ...value, [key]: other }).filter(([, v]) => v !== undefined),
          )
    for (const other of strange) yield copy(other)
    for (const other of spoiled(held)) yield copy(other)
  }
}

const ending = { ...frames.hello, expires_in_ms: 60_000 }

describe('what is read by hand is what the schemas of the protocol take', () => {
  it.each([...Object.entries(frames), ['hello of a session that ends', ending] as const])(
    '%s',
    (_type, frame) => {
      expect(frameFrom(JSON.stringify(frame))).toEqual(inboxFrame.parse(frame))
      let refused = 0
      for (const other of spoiled(frame)) {
        const text = JSON.stringify(other)
        const parsed = inboxFrame.safeParse(JSON.parse(text))
        const read = frameFrom(text)
        expect(read.type !== 'malformed', text).toBe(parsed.success)
        if (parsed.success) expect(read).toEqual(parsed.data)
        else refused++
      }
      expect(refused).toBeGreaterThan(30)
    },
  )

  it('P96 the answer to a new token', () => {
    for (const frame of [
      { type: 'refreshed', expires_in_ms: 60_000 },
      { type: 'refreshed', expires_in_ms: null },
    ]) {
      expect(frameFrom(JSON.stringify(frame))).toEqual(refreshedFrame.parse(frame))
      for (const other of spoiled(frame)) {
        const text = JSON.stringify(other)
        const parsed = refreshedFrame.safeParse(JSON.parse(text))
        expect(frameFrom(text).type, text).toBe(parsed.success ? 'refreshed' : 'malformed')
      }
    }
  })

  it('a notification, and a page of them', () => {
    for (const other of spoiled(one))
      expect(notificationFrom(other) !== null).toBe(notification.safeParse(other).success)
    const page = { notifications: [one], next_cursor: null, counts: counted, position: 'k3v:41' }
    expect(pageFrom(page)).toEqual({
      notifications: [one],
      nextCursor: null,
      counts: counts.parse(counted),
      position: { epoch: 'k3v', offset: 41 },
    })
    for (const wrong of [
      { position: 'k3v' },
      { counts: {} },
      { notifications: [{}] },
      { next_cursor: 1 },
    ])
      expect(pageFrom({ ...page, ...wrong })).toBeNull()
  })

  it.each([null, '{', '[]', 'null', '{"type":"changes"}', new ArrayBuffer(2)])(
    '%j is none',
    (data) => {
      expect(frameFrom(data).type).toBe('malformed')
    },
  )
})
