import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MAX_BATCH_CHANGES, type ToListener } from '../../../protocol/link.ts'
import { signLink } from '../../../protocol/signature.ts'
import { within } from '../../support/deadline.ts'
import { nowUs, stamp } from '../load/clock.ts'

/**
 * A listener without a database: it makes its changes up, and sends them as the real one does,
 * one batch in flight. So feed and shards are measured without what comes before them.
 */
const ANSWER_MS = 30_000

export class StandInListener {
  readonly #socket: WebSocket
  #heard: (said: ToListener) => void = () => {}
  #seq = 0
  #made = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#heard(JSON.parse(String(data))))
  }

  static async connect(port: number, secret: string): Promise<StandInListener> {
    const authorization = await signLink(secret, Date.now(), randomUUID())
    // Node's WebSocket takes headers, which the browser's type does not know.
    const headers = { headers: { authorization } } as unknown as string[]
    const socket = new WebSocket(`ws://127.0.0.1:${port}/link`, headers)
    const opened = new Promise((resolve) => socket.addEventListener('open', resolve))
    await within(ANSWER_MS, 'the link open', opened)
    const listener = new StandInListener(socket)
    const open = { type: 'open', source: randomUUID(), term: 1, listener: 'the bench' }
    await listener.#ask(JSON.stringify(open))
    return listener
  }

  close(): void {
    this.#socket.close()
  }

  /** Batches of a size, one after the other. */
  async send({ batches, changes, bytes }: { batches: number; changes: number; bytes: number }) {
    for (let batch = 0; batch < batches; batch++)
      await this.#deliver(Array.from({ length: changes }, () => this.change(bytes)))
  }

  /** At a fixed rate: what is due while a batch is in flight goes in the next one. */
  async pace({ perSecond, seconds, bytes }: { perSecond: number; seconds: number; bytes: number }) {
    const count = Math.round(perSecond * seconds)
    const began = nowUs()
    const due = (index: number) => began + (index * 1e6) / perSecond
    for (let sent = 0, batches = 0; ; batches++) {
      if (sent === count) return { changes: count, batches, seconds: (nowUs() - began) / 1e6 }
      while (nowUs() < due(sent)) await delay(Math.max(0, Math.ceil((due(sent) - nowUs()) / 1000)))
      const batch: string[] = []
      for (; sent < count && due(sent) <= nowUs() && batch.length < MAX_BATCH_CHANGES; sent++)
        batch.push(this.change(bytes, due(sent)))
      await this.#deliver(batch)
    }
  }

  /** An insert of so many bytes of JSON, stamped with when it was due. */
  change(bytes: number, at = nowUs()): string {
    const id = ++this.#made
    const change = {
      id: randomUUID(),
      table: 'orders',
      op: 'insert',
      key: { id },
      new: {
        id,
        customer_name: `customer ${id}`,
        product_name: stamp(at),
        status: 'pending',
        amount: 12.5,
        note: '',
      },
      old: null,
      at: new Date().toISOString().replace('Z', '000Z'),
    }
    change.new.note = 'x'.repeat(Math.max(0, bytes - JSON.stringify(change).length))
    return JSON.stringify(change)
  }

  async #deliver(changes: readonly string[]): Promise<void> {
    const seq = ++this.#seq
    const said = await this.#ask(`{"type":"batch","seq":${seq},"changes":[${changes.join(',')}]}`)
    if (said.type !== 'ack' || said.seq !== seq) throw new Error(`heard ${JSON.stringify(said)}`)
  }

  #ask(message: string): Promise<ToListener> {
    const answer = new Promise<ToListener>((resolve) => {
      this.#heard = resolve
    })
    this.#socket.send(message)
    return within(ANSWER_MS, 'the feed answer', answer)
  }
}
