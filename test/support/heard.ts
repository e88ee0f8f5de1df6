import { once } from 'node:events'
import type pg from 'pg'
import { within } from './deadline.ts'

/** Counts the rings that a session hears. */
export class Heard {
  readonly #ear: pg.Client
  #rings = 0

  private constructor(ear: pg.Client) {
    this.#ear = ear
    ear.on('notification', ({ payload }) => {
      if (payload === '') this.#rings++
    })
  }

  static async by(ear: pg.Client): Promise<Heard> {
    await ear.query('LISTEN belfry')
    return new Heard(ear)
  }

  /**
   * How many there were since the last time. Notifications come in the order of their commits, so
   * when one of our own is heard, every ring before it has been.
   */
  async rings(speaker: { query(text: string): Promise<unknown> }): Promise<number> {
    const fence = new Promise<void>((resolve) => {
      const listen = ({ payload }: pg.Notification) => {
        if (payload !== 'fence') return
        this.#ear.off('notification', listen)
        resolve()
      }
      this.#ear.on('notification', listen)
    })
    await speaker.query("NOTIFY belfry, 'fence'")
    await within(10_000, 'the fence', fence)
    const rings = this.#rings
    this.#rings = 0
    return rings
  }

  async next(): Promise<void> {
    if (this.#rings === 0) await within(10_000, 'a ring', once(this.#ear, 'notification'))
  }
}
