import { deflateRawSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { arrivals, type Inflate, inflater } from '../../client/sdk/arrivals.ts'
import type { Frame } from '../../protocol/frames.ts'
import { begin } from './connected.ts'
import { changes, hello, inserted } from './world.ts'

const bytes = (size: number) => new ArrayBuffer(size)

/** Inflates when the test says so, in whatever order. */
function heldInflate() {
  const held: PromiseWithResolvers<string>[] = []
  const inflate: Inflate = () => {
    const answer = Promise.withResolvers<string>()
    held.push(answer)
    return answer.promise
  }
  return { held, inflate }
}

describe('P45 what arrives', () => {
  it('is handed on at once as long as it is text', () => {
    const heard: unknown[] = []
    const arrived = arrivals(heldInflate().inflate, (...message) => heard.push(message))
    arrived('one')
    arrived('鐘')
    expect(heard).toEqual([
      ['one', 3],
      ['鐘', 3],
    ])
  })

  it('keeps its order, whatever is inflated first', async () => {
    const { held, inflate } = heldInflate()
    const heard: unknown[] = []
    const arrived = arrivals(inflate, (...message) => heard.push(message))
    arrived(bytes(7))
    arrived('two')
    arrived(bytes(9))
    arrived('four')
    held[1]?.resolve('three')
    held[0]?.resolve('one')
    await vi.waitFor(() => expect(heard).toHaveLength(4))
    expect(heard).toEqual([
      ['one', 7],
      ['two', 3],
      ['three', 9],
      ['four', 4],
    ])
    arrived('five')
    expect(heard.at(-1)).toEqual(['five', 4])
  })

  it('is handed on as it is when it cannot be inflated', async () => {
    if (inflater === null) throw new Error('this runtime cannot inflate')
    const heard: unknown[] = []
    const broken = bytes(3)
    arrivals(inflater, (message) => heard.push(message))(broken)
    await vi.waitFor(() => expect(heard).toEqual([broken]))
  })
})

describe('P45 a connection', () => {
  const deflated = (frame: Frame) => {
    const { buffer, byteOffset, byteLength } = deflateRawSync(JSON.stringify(frame))
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  }

  it('asks for deflated frames only where it can inflate them', () => {
    const { world, connection } = begin()
    expect(world.socket.query).toEqual({})
    world.inflate = inflater
    connection.reconnect()
    expect(world.socket.query).toEqual({ deflate: '1' })
    expect(world.socket.binaryType).toBe('arraybuffer')
  })

  it('reads them, in order with the others, and acknowledges them as bytes on the wire', async () => {
    const { world, got, connection } = begin()
    world.inflate = inflater
    world.chance = 0
    connection.reconnect()
    const large = deflated(changes('a', 5, [inserted(6, { note: 'x'.repeat(10_000) })]))
    world.socket.say(hello('a', 5, 3 * large.byteLength))
    world.socket.say(large)
    world.socket.say(changes('a', 6, [inserted(7, { note: 'x'.repeat(large.byteLength) })]))
    await vi.waitFor(() => expect(got).toEqual([6, 7]))
    expect(world.socket.sent).toEqual(['ack a:7'])
  })

  it('hears nothing of a socket that closed while it was inflating; the next brings it again', async () => {
    const { held, inflate } = heldInflate()
    const { world, got, connection } = begin()
    world.inflate = inflate
    connection.reconnect()
    const first = world.socket
    first.say(hello('a', 5))
    first.say(bytes(9))
    first.break()
    held[0]?.resolve(JSON.stringify(changes('a', 5, [inserted(6)])))
    await new Promise(setImmediate)
    world.pass(1_000)
    expect(world.socket).not.toBe(first)
    expect(world.socket.query).toEqual({ deflate: '1', after: '5', epoch: 'a' })
    world.socket.say(hello('a', 5))
    world.socket.say(changes('a', 5, [inserted(6)]))
    expect(got).toEqual([6])
  })

  it('gives up a socket that says what cannot be inflated', async () => {
    const { world, connection } = begin()
    world.inflate = inflater
    connection.reconnect()
    world.socket.say(hello('a', 5))
    world.socket.say(bytes(9))
    await vi.waitFor(() =>
      expect(connection.state).toMatchObject({
        state: 'waiting',
        reason: { kind: 'malformed', detail: 'it is not text' },
      }),
    )
  })
})
