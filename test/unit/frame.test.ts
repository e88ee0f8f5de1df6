import { describe, expect, it } from 'vitest'
import { frame } from '../../protocol/frames.ts'
import { changesFrame, framePosition, helloFrame, resetFrame } from '../../worker/shard/frame.ts'

describe('a frame of ours', () => {
  const range = { epoch: 'k3v', after: 41, through: 57 }
  it.each([
    [helloFrame({ epoch: 'k3v', offset: 41 }, null), 41],
    [helloFrame({ epoch: 'k3v', offset: 41 }, 262_144), 41],
    [changesFrame(range, '[]'), 57],
    [resetFrame('pruned', { epoch: 'k3v', offset: 99 }), 99],
  ])('is readable by the protocol, and gives its position without parsing: %s', (text, offset) => {
    expect(frame.parse(JSON.parse(text))).toBeTruthy()
    expect(framePosition(text)).toEqual({ epoch: 'k3v', offset })
  })

  it('finds no position in what is not one', () => {
    expect(framePosition('pong')).toBeNull()
  })
})
