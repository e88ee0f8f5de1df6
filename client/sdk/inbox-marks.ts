import type { InboxMoved } from '../../protocol/inbox-frames.ts'
import type { Mark } from '../../protocol/notification.ts'
import type { BearerRequests } from './bearer-requests.ts'
import { type Held, newest } from './inbox-held.ts'
import { type Pending, settle, unsettled } from './inbox-pending.ts'
import { countsFrom } from './inbox-wire.ts'

/** A mark that was asked for. */
export type Marking = {
  /**
   * Kept by the worker. It need not be waited for.
   * @throws Error with a sentence for a person; the mark is then taken back
   */
  done: Promise<void>
  /**
   * Takes it back: what it marked is as it was before. Nothing after a refusal.
   * @throws Error with a sentence for a person
   */
  undo(): Promise<void>
}

type Shell = {
  held(): Held
  moved(): void
}

/** Sends marks, one after the other, so that the last one asked for is the last one kept. */
export class InboxMarks {
  pending: Pending[] = []
  readonly #requests: BearerRequests
  readonly #shell: Shell
  #queue: Promise<unknown> = Promise.resolve()
  /** Asked for, and not sent yet. */
  #opening: { ids: Set<number>; marking: Marking } | null = null

  constructor(requests: BearerRequests, shell: Shell) {
    this.#requests = requests
    this.#shell = shell
  }

  mark(id: number, mark: Mark, to: boolean): Marking {
    const done = this.#send(
      { mark, to, ids: new Set([id]), isAll: false },
      to ? 'PUT' : 'DELETE',
      `${id}/${mark}`,
    )
    return marking(done, () => this.mark(id, mark, !to).done)
  }

  open(): Marking {
    const waiting = this.#opening
    if (waiting === null) {
      const ids = this.#unmarked('seen')
      const marking = this.#markAll('seen', ids, 'open')
      this.#opening = { ids, marking }
      return marking
    }
    // One that has not gone out yet does for this as well: in a storm there are two, not thousands.
    for (const id of this.#unmarked('seen')) waiting.ids.add(id)
    this.#shell.moved()
    return waiting.marking
  }

  markAll(mark: Mark): Marking {
    // Not what is delivered meanwhile: nobody saw it here.
    const through = newest(this.#shell.held())?.delivered_at
    const body = { mark, ...(through && { through }) }
    return this.#markAll(mark, this.#unmarked(mark), 'mark-all', body)
  }

  /** A frame is held now. */
  told(frame: InboxMoved): void {
    this.pending = settle(this.#shell.held().notifications, this.pending, frame)
  }

  /** The list was read anew: what had been answered by then is in it, or in a frame to come. */
  reloaded(): void {
    this.pending = this.pending.filter(({ isAnswered }) => !isAnswered)
  }

  #unmarked(mark: Mark): Set<number> {
    const { notifications } = this.#shell.held()
    return new Set([...notifications.values()].flatMap((one) => (one[mark] ? [] : [one.id])))
  }

  #markAll(mark: Mark, ids: ReadonlySet<number>, path: string, body?: object): Marking {
    const done = this.#send({ mark, to: true, ids, isAll: true }, 'POST', path, body)
    return marking(done, async (answer) => {
      const body = { mark, before: beforeOf(answer) }
      // Which ones it held for is not told one by one: the inbox answers with a reset.
      await this.#inTurn(() =>
        this.#requests.request('POST', 'api/me/notifications/mark-all/undo', { body }),
      )
    })
  }

  #send(
    asked: Omit<Pending, 'isAnswered' | 'isTold'>,
    method: string,
    path: string,
    body?: object,
  ): Promise<unknown> {
    const pending: Pending = { ...asked, isAnswered: false, isTold: false }
    this.pending = [...this.pending, pending]
    this.#shell.moved()
    return this.#inTurn(() => {
      if (pending.ids === this.#opening?.ids) this.#opening = null
      return this.#ask(pending, method, path, body)
    })
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(ask)
    this.#queue = done.catch(nothing)
    return done
  }

  async #ask(pending: Pending, method: string, path: string, body?: object): Promise<unknown> {
    try {
      const answer = await this.#requests.request(
        method,
        `api/me/notifications/${path}`,
        body && { body },
      )
      pending.isAnswered = true
      const counts = countsFrom((answer as { counts?: unknown } | undefined)?.counts)
      if (pending.isAll && counts && !pending.isTold) this.#shell.held().counts = counts
      this.pending = unsettled(this.pending)
      return answer
    } catch (error) {
      this.pending = this.pending.filter((each) => each !== pending)
      throw error
    } finally {
      this.#shell.moved()
    }
  }
}

/** @param undo told what was answered */
function marking(answered: Promise<unknown>, undo: (answer: unknown) => Promise<void>): Marking {
  const done = answered.then(nothing)
  // Whoever does not wait for it need not catch it.
  done.catch(nothing)
  return {
    done,
    async undo() {
      let answer: unknown
      try {
        answer = await answered
      } catch {
        return
      }
      await undo(answer)
    },
  }
}

function beforeOf(answer: unknown): string | null {
  const { before } = (answer ?? {}) as { before?: unknown }
  return typeof before === 'string' ? before : null
}

function nothing(): void {}
