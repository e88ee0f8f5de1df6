import { describe, expect, it } from 'vitest'
import { Acknowledgements } from '../../client/sdk/acknowledgements.ts'
import { describe as sentence } from '../../client/sdk/reasons.ts'
import { closeCodes } from '../../protocol/close-codes.ts'
import { begin } from './connected.ts'
import { changes, hello, inserted, reset } from './world.ts'

describe('when it is time', () => {
  it.each([
    ['an early one', 0, 500],
    ['one in the middle', 0.5, 375],
    ['a late one', 0.999, 251],
  ])(
    'P38 %s says so first somewhere between a quarter and a half of the window',
    (_, random, first) => {
      const due = new Acknowledgements(1_000, random)
      expect(due.isDue(first - 1)).toBe(false)
      expect(due.isDue(1)).toBe(true)
    },
  )

  it('P38 then at each half of the window, counted anew each time', () => {
    const due = new Acknowledgements(1_000, 0)
    const said = Array.from({ length: 12 }, () => due.isDue(200))
    expect(said).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1].map(Boolean))
  })

  it('never, where the server gave no window', () => {
    expect(new Acknowledgements(undefined, 0.9).isDue(1e6)).toBe(false)
  })
})

describe('a connection', () => {
  const large = (offset: number) => inserted(offset, { id: offset, note: 'x'.repeat(600) })

  it('P38 asks to be waited for, and acknowledges what its callbacks have had', () => {
    const before: string[][] = []
    const { world } = begin({
      onChange: () => before.push([...world.socket.sent]),
      onChanges: () => before.push([...world.socket.sent]),
    })
    world.chance = 0
    expect(new URL(world.socket.url).searchParams.get('acks')).toBe('1')
    world.socket.say(hello('a', 5, 1_000))
    world.socket.say(changes('a', 5, [large(6)], 9))
    expect(before).toEqual([[], []])
    expect(world.socket.sent).toEqual(['ack a:9'])
  })

  it('P38 counts as the server does: in bytes of UTF-8', () => {
    const { world } = begin()
    world.chance = 0
    const frame = changes('a', 5, [inserted(6, { note: '鐘'.repeat(100) })])
    const bytes = Buffer.byteLength(JSON.stringify(frame))
    world.socket.say(hello('a', 5, 2 * bytes))
    world.socket.say(frame)
    expect(world.socket.sent).toEqual(['ack a:6'])
  })

  it('P38 an idle one says nothing, nor does one whose server gave no window', () => {
    for (const window of [100_000, undefined]) {
      const { world } = begin()
      world.socket.say(hello('a', 5, window))
      for (let beat = 0; beat < 50; beat++) world.socket.say(changes('a', 5, []))
      expect(world.socket.sent).toEqual([])
    }
  })

  it('P38 acknowledges where it stands: what does not concern it, and what a reset left out', () => {
    const { world } = begin()
    world.chance = 0
    world.socket.say(hello('a', 5, 1_000))
    world.socket.say(changes('a', 5, [large(6)], 40))
    world.socket.say(reset('b', 3))
    world.socket.say(changes('b', 3, [large(4)]))
    expect(world.socket.sent).toEqual(['ack a:40', 'ack b:4'])
  })

  it('P38 counts anew on each socket, and says nothing on one that was left in a callback', () => {
    const { world, connection } = begin({
      onChanges: (_, { offset }) => offset === 6 && connection.reconnect(),
    })
    world.chance = 0
    const first = world.socket
    first.say(hello('a', 5, 1_000))
    first.say(changes('a', 5, [large(6)]))
    const second = world.socket
    second.say(hello('a', 6, 1_000))
    second.say(changes('a', 6, [], 7))
    expect([first.sent, second.sent]).toEqual([[], []])
    second.say(changes('a', 7, [large(8)]))
    expect(second.sent).toEqual(['ack a:8'])
  })

  it('P38 says nothing once it is closed in a callback, or the frame was a gap', () => {
    const closing = begin({ onChange: () => closing.connection.close() })
    closing.world.chance = 0
    closing.world.socket.say(hello('a', 5, 1_000))
    closing.world.socket.say(changes('a', 5, [large(6)]))
    expect(closing.world.socket.sent).toEqual([])
    const { world } = begin()
    world.chance = 0
    world.socket.say(hello('a', 5, 1_000))
    world.socket.say(changes('a', 9, [large(10)]))
    expect(world.socket.sent).toEqual([])
  })

  it('P38 closed as too slow it comes back to where it stands, and says why', () => {
    const { world, states, got } = begin({ position: { epoch: 'a', offset: 5 } })
    world.socket.say(hello('a', 5, 1_000))
    world.socket.say(changes('a', 5, [inserted(6)]))
    world.socket.break(closeCodes.too_slow.code, 'nothing acknowledged for 30 s')
    const waiting = states.at(-1)
    expect(waiting).toMatchObject({
      state: 'waiting',
      reason: { kind: 'closed', name: 'too_slow' },
    })
    expect(waiting?.state === 'waiting' && sentence(waiting.reason)).toBe(
      'you did not read fast enough: nothing acknowledged for 30 s',
    )
    world.pass(250)
    expect(world.socket.query).toEqual({ after: '6', epoch: 'a' })
    world.socket.say(hello('a', 6, 1_000))
    world.socket.say(changes('a', 6, [inserted(7)]))
    expect(got).toEqual([6, 7])
  })
})
