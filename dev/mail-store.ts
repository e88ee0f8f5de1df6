import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { FateType } from './mail-fate.ts'

/**
 * The mails that would have been sent, in a file of JSON lines, oldest first.
 *
 * Must hold: the mails of one request stand in one line, with its idempotency key, and are on disk
 * before they are acknowledged; so a crash loses them together, and the same request again sends
 * nothing. A key is kept for 24 hours, also when its mails are gone. Only the latest mails are
 * kept, with what the worker is still to be told of them.
 */
export type Mail = {
  id: string
  from: string
  to: string[]
  cc: string[]
  bcc: string[]
  reply_to: string[]
  subject: string
  html: string | null
  text: string | null
  tags: { name: string; value: string }[]
  headers: Record<string, string>
  idempotency_key: string | null
  /** ISO 8601. */
  at: string
  /** What becomes of it, in the order of time; some of it may lie ahead. */
  events: MailEvent[]
}

export type MailEvent = {
  id: string
  type: FateType
  at: string
  /** When the worker took the webhook. */
  told_at: string | null
}

/** What was sent under one idempotency key. */
export type Sending = { key: string; digest: string; ids: string[]; at: number }

export type StoreNews = { kind: 'added' | 'changed'; mail: Mail } | { kind: 'cleared' }

type Line =
  | { kind: 'mails'; sending: Sending | null; mails: Mail[] }
  | { kind: 'key'; sending: Sending }
  | { kind: 'told'; event: string; at: string }

const KEPT_MAILS = 1_000
const KEPT_KEY_MS = 24 * 60 * 60 * 1_000

export class MailStore {
  readonly #file: string
  readonly #keep: number
  readonly #now: () => number
  readonly #mails = new Map<string, Mail>()
  readonly #sendings = new Map<string, Sending>()
  readonly #ofEvent = new Map<string, { mail: Mail; event: MailEvent }>()
  readonly #watchers = new Set<(news: StoreNews) => void>()
  #linesToWrite = 0

  /** @param keep how many mails */
  constructor(
    file: string,
    { keep = KEPT_MAILS, now = Date.now }: { keep?: number; now?: () => number } = {},
  ) {
    this.#file = file
    this.#keep = keep
    this.#now = now
    mkdirSync(dirname(file), { recursive: true })
    for (const line of existsSync(file) ? readLines(file) : []) this.#take(line)
    this.#rewrite()
  }

  /** Newest first. */
  list(): Mail[] {
    return Array.from(this.#mails.values()).toReversed()
  }

  get(id: string): Mail | undefined {
    return this.#mails.get(id)
  }

  /** What was sent under this key in the last 24 hours. */
  sendingOf(key: string): Sending | undefined {
    const sending = this.#sendings.get(key)
    return sending && this.#isRemembered(sending) ? sending : undefined
  }

  /** How many were taken since then. */
  countSince(ms: number): number {
    return this.list().filter(({ at }) => Date.parse(at) >= ms).length
  }

  /** @param request its key and the digest of its body, if it had a key */
  add(mails: Mail[], request: { key: string; digest: string } | null): void {
    const sending = request && { ...request, ids: mails.map(({ id }) => id), at: this.#now() }
    this.#append({ kind: 'mails', sending, mails })
    for (const mail of mails) this.#tell({ kind: 'added', mail })
  }

  /** The worker has taken this event. */
  told(event: string): void {
    const mail = this.#ofEvent.get(event)?.mail
    if (!mail) return
    this.#append({ kind: 'told', event, at: new Date(this.#now()).toISOString() })
    this.#tell({ kind: 'changed', mail })
  }

  /** Forgets the mails, but not the keys: what was sent stays sent. */
  clear(): void {
    this.#mails.clear()
    this.#ofEvent.clear()
    this.#rewrite()
    this.#tell({ kind: 'cleared' })
  }

  /** @returns ends it */
  watch(tell: (news: StoreNews) => void): () => void {
    this.#watchers.add(tell)
    return () => this.#watchers.delete(tell)
  }

  #tell(news: StoreNews): void {
    for (const tell of this.#watchers) tell(news)
  }

  #append(line: Line): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`)
    this.#take(line)
    this.#linesToWrite -= 1
    if (this.#linesToWrite <= 0) this.#rewrite()
  }

  #take(line: Line): void {
    switch (line.kind) {
      case 'mails':
        if (line.sending) this.#sendings.set(line.sending.key, line.sending)
        for (const mail of line.mails) this.#remember(mail)
        break
      case 'key':
        this.#sendings.set(line.sending.key, line.sending)
        break
      case 'told': {
        const found = this.#ofEvent.get(line.event)
        if (found) found.event.told_at = line.at
      }
    }
  }

  #remember(mail: Mail): void {
    this.#mails.set(mail.id, mail)
    for (const event of mail.events) this.#ofEvent.set(event.id, { mail, event })
    while (this.#mails.size > this.#keep) {
      const [id, oldest] = this.#mails.entries().next().value as [string, Mail]
      this.#mails.delete(id)
      for (const event of oldest.events) this.#ofEvent.delete(event.id)
    }
  }

  /** Writes only what still counts; the file grows by four lines for each kept mail before it is. */
  #rewrite(): void {
    for (const sending of this.#sendings.values())
      if (!this.#isRemembered(sending)) this.#sendings.delete(sending.key)
    const lines: Line[] = [
      ...Array.from(this.#sendings.values(), (sending) => ({ kind: 'key' as const, sending })),
      ...Array.from(this.#mails.values(), (mail) => ({
        kind: 'mails' as const,
        sending: null,
        mails: [mail],
      })),
    ]
    const draft = `${this.#file}.new`
    writeFileSync(draft, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    renameSync(draft, this.#file)
    this.#linesToWrite = 4 * this.#keep
  }

  #isRemembered(sending: Sending): boolean {
    return this.#now() - sending.at < KEPT_KEY_MS
  }
}

/** A line that was cut off when the machine went down, or is an older version's, is left out. */
function readLines(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text) => {
      try {
        const line = JSON.parse(text)
        return line.kind ? [line] : [ofFirstVersion(line)]
      } catch {
        return []
      }
    })
}

/** The first version wrote each mail as it was, with the digest of its request. */
function ofFirstVersion({ digest, ...mail }: Mail & { digest: string | null }): Line {
  const key = mail.idempotency_key
  const sending =
    key !== null && digest !== null
      ? { key, digest, ids: [mail.id], at: Date.parse(mail.at) }
      : null
  return { kind: 'mails', sending, mails: [{ ...mail, tags: [], headers: {}, events: [] }] }
}
