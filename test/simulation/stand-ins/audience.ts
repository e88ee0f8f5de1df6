import { current } from '../current.ts'

type Position = { epoch: string; offset: number }
type Slow = (subscriber: object, at: Position) => void
type AudienceLike = { tell(position: Position, changes: string): { behind: boolean } }

const real = new URL('../../../worker/shard/audience.ts', import.meta.url).href
const { Audience: RealAudience, select } = (await import(real)) as {
  Audience: new (limits: () => object, slow: Slow) => AudienceLike
  select: unknown
}

export { select }

/**
 * worker/shard/audience.ts itself, unless the shard is to move on without telling anyone, or to
 * believe that a slow one was told what it was not.
 */
export class Audience extends RealAudience {
  constructor(limits: () => object, slow: Slow) {
    super(limits, (subscriber, { epoch, offset }) => {
      current().world.reach('a subscriber fell behind')
      const isSkipped = current().world.broken === 'a slow one skips a frame'
      slow(subscriber, { epoch, offset: isSkipped ? offset + 1 : offset })
    })
  }

  override tell(position: Position, changes: string): { behind: boolean } {
    const { broken, random } = current().world
    if (broken === 'position without frames' && random.chance(0.3)) return { behind: false }
    const told = super.tell(position, changes)
    if (told.behind) current().world.reach('a filtered subscriber left behind')
    return told
  }
}
