import { describe, expect, it } from 'vitest'
import { frame } from '../../protocol/frames.ts'
import { changesFrame, framePosition, helloFrame, resetFrame } from '../../worker/shard/frame.ts'

describe('a frame of ours', () => {
  const range = { epoch: 'k3v', after: 41, through: 57 }
  it.each([
    [helloFrame('k3v', 41), 41],
    [changesFrame(range, '[]'), 57],
    [resetFrame('pruned', 'k3v', 99), 99],
  ])('is readable by the protocol, and gives its position without parsing: %s', (text, offset) => {
    expect(frame.parse(JSON.parse(text))).toBeTruthy()
    expect(framePosition(text)).toEqual({ epoch: 'k3v', offset })
  })

  it('finds no position in what is not one', () => {
    expect(framePosition('pong')).toBeNull()
  })
})
