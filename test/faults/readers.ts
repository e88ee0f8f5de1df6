import { setTimeout as delay } from 'node:timers/promises'
import type { Change } from '../../protocol/change.ts'
import { closeCodes, closeName } from '../../protocol/close-codes.ts'
import type { Frame } from '../../protocol/frames.ts'
import { HEARTBEAT_MS } from '../../protocol/heartbeat.ts'
import type { Chance } from './chance.ts'
import { Shown } from './shown.ts'
import type { Violations } from './violations.ts'

/** A subscription gets a frame every 15 s (P35); the rest is for a machine that is busy. */
const SILENCE_MS = HEARTBEAT_MS + 5_000

export type ReaderPlan = {
  name: string
  door: 'socket' | 'events'
  query: Record<string, string>
  /** Who asks; anyone, if it is left out. */
  token?: string
  /** From the first change on, or from now on, or from now on and anew every few seconds. */
  from: 'beginning' | 'now' | 'now, again and again'
  /** The reader's own understanding of its query. */
  wants: (change: Change) => boolean
}

/**
 * A subscriber of a few lines, without the SDK: it keeps a position, and when its connection is
 * gone or silent it comes back with it.
 */
export class Reader {
  readonly plan: ReaderPlan
  readonly shown: Shown
  readonly #url: string
  readonly #chance: Chance
  readonly #violations: Violations
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  connections = 0
  silences = 0

  constructor(
    plan: ReaderPlan,
    url: string,
    chance: Chance,
    violations: Violations,
    onChange?: (change: Change) => void,
  ) {
    this.plan = plan
    this.#url = url
    this.#chance = chance.of(plan.name)
    this.#violations = violations
    this.shown = new Shown(plan.name, violations, onChange)
  }

  start(): void {
    this.#loop = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** It wanders no more, so that it can come to the head. */
  settle(): void {
    this.#settled = true
  }
  #settled = false

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const wanders = this.plan.from === 'now, again and again' && !this.#settled
      const afresh = wanders || (this.plan.from === 'now' && this.shown.position === null)
      this.shown.connecting({ afresh })
      this.connections++
      const end = new AbortController()
      const ending = AbortSignal.any([end.signal, this.#stop.signal])
      const timer = wanders ? setTimeout(() => end.abort(), this.#chance.whole(1_500, 6_000)) : null
      const listen = this.plan.door === 'socket' ? this.#bySocket : this.#byEvents
      await listen.call(this, this.#address(afresh), ending)
      if (timer) clearTimeout(timer)
      await delay(this.#chance.whole(10, 300), undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      )
    }
  }

  #address(afresh: boolean): URL {
    const path = this.plan.door === 'socket' ? '/api/changes/ws' : '/api/changes/stream'
    const address = new URL(path, this.#url)
    for (const [name, text] of Object.entries(this.plan.query)) address.searchParams.set(name, text)
    const { position } = this.shown
    if (afresh) return address
    address.searchParams.set('after', String(position?.offset ?? 0))
    if (position) address.searchParams.set('epoch', position.epoch)
    return address
  }

  get #credentials(): Record<string, string> {
    const { token } = this.plan
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async #bySocket(address: URL, ending: AbortSignal): Promise<void> {
    address.protocol = 'ws:'
    const socket = new WebSocket(address, { headers: this.#credentials })
    await new Promise<void>((resolve) => {
      // What a connection says after we have left it is not heard.
      let left = false
      const leave = () => {
        left = true
        heard.stop()
        resolve()
      }
      const heard = this.#watchSilence(leave)
      socket.addEventListener('message', ({ data }) => {
        if (left || ending.aborted) return
        heard.again()
        this.shown.hear(JSON.parse(String(data)) as Frame)
      })
      socket.addEventListener('close', ({ code, reason }) => {
        if (!left) this.#judgeClose(code, reason)
        leave()
      })
      ending.addEventListener('abort', leave, { once: true })
    })
    socket.close()
  }

  async #byEvents(address: URL, ending: AbortSignal): Promise<void> {
    const { position } = this.shown
    const place = position ? { 'last-event-id': `${position.epoch}:${position.offset}` } : {}
    const headers = { ...place, ...this.#credentials }
    const cancel = new AbortController()
    const heard = this.#watchSilence(() => cancel.abort())
    try {
      const signal = AbortSignal.any([ending, cancel.signal])
      const response = await fetch(address, { headers, signal })
      if (!response.ok || !response.body) return
      let text = ''
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        heard.again()
        text += piece
        const events = text.split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) this.#hearEvent(event)
      }
    } catch {
      // Cut, or left: it comes back with its position.
    } finally {
      heard.stop()
    }
  }

  #hearEvent(event: string): void {
    const data = /^data: (.*)$/m.exec(event)?.[1]
    if (data === undefined) return
    this.shown.hear(JSON.parse(data) as Frame)
    const id = /^id: (.*)$/m.exec(event)?.[1]
    const { position } = this.shown
    if (position && id !== `${position.epoch}:${position.offset}`)
      this.#violations.add(
        'P31',
        `${this.plan.name}: an event's id is ${id}, its frame says ${position.offset}`,
      )
  }

  #judgeClose(code: number, reason: string): void {
    const name = closeName(code)
    if (name !== null && !closeCodes[name].retry)
      this.#violations.add('P60', `${this.plan.name}: refused with ${code} ${reason}`)
  }

  #watchSilence(onSilence: () => void): { again(): void; stop(): void } {
    const timer = setTimeout(() => {
      this.silences++
      onSilence()
    }, SILENCE_MS)
    return { again: () => timer.refresh(), stop: () => clearTimeout(timer) }
  }
}
