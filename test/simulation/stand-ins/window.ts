import { current } from '../current.ts'

type Room = { kind: string }
type WindowLike = { room(limits: object, now: number): Room }

const real = new URL('../../../worker/shard/window.ts', import.meta.url).href
const { Window: RealWindow } = (await import(real)) as {
  Window: new (standsAt: object | null) => WindowLike
}

/** worker/shard/window.ts itself, unless it is to have room without end. */
export class Window extends RealWindow {
  override room(limits: object, now: number): Room {
    const room = super.room(limits, now)
    return current().world.broken === 'a window that is never full' ? { kind: 'room' } : room
  }
}
