import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** A mail that would have been sent. */
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
  idempotency_key: string | null
  /** ISO 8601. */
  at: string
}

/** What was sent under one idempotency key: the same request again sends nothing. */
export type Sending = { digest: string; ids: string[]; at: number }

type StoredMail = Mail & { digest: string | null }

const keptMails = 1_000
const keptKeyMs = 24 * 60 * 60 * 1_000

/**
 * The latest thousand mails, in a file with one mail a line, oldest first. A mail is on disk before
 * it is acknowledged. The file grows to twice that before it is cut.
 */
export class MailStore {
  readonly #file: string
  #mails: StoredMail[]
  #linesInFile: number
  readonly #sendings = new Map<string, Sending>()
  readonly #watchers = new Set<(mail: Mail | null) => void>()

  constructor(file: string) {
    this.#file = file
    mkdirSync(dirname(file), { recursive: true })
    const stored = existsSync(file) ? readLines(file) : []
    for (const mail of stored) this.#remember(mail)
    this.#mails = stored.slice(-keptMails)
    this.#linesInFile = stored.length
  }

  /** Newest first. */
  list(): Mail[] {
    return this.#mails.map(withoutDigest).toReversed()
  }

  get(id: string): Mail | undefined {
    const found = this.#mails.find((mail) => mail.id === id)
    return found && withoutDigest(found)
  }

  /** What was sent under this key in the last 24 hours. */
  sendingOf(key: string): Sending | undefined {
    const sending = this.#sendings.get(key)
    return sending && Date.now() - sending.at < keptKeyMs ? sending : undefined
  }

  /** @param digest of the request that carried them, if it had an idempotency key */
  add(mails: Mail[], digest: string | null): void {
    const stored = mails.map((mail) => ({ ...mail, digest }))
    appendFileSync(this.#file, stored.map((mail) => `${JSON.stringify(mail)}\n`).join(''))
    this.#mails = [...this.#mails, ...stored].slice(-keptMails)
    this.#linesInFile += stored.length
    if (this.#linesInFile > 2 * keptMails) this.#rewrite()
    for (const mail of stored) {
      this.#remember(mail)
      for (const tell of this.#watchers) tell(withoutDigest(mail))
    }
  }

  /** Forgets the mails, but not the keys: what was sent stays sent. */
  clear(): void {
    this.#mails = []
    this.#rewrite()
    for (const tell of this.#watchers) tell(null)
  }

  /**
   * @param tell is given each new mail, and null when all are deleted
   * @returns ends it
   */
  watch(tell: (mail: Mail | null) => void): () => void {
    this.#watchers.add(tell)
    return () => this.#watchers.delete(tell)
  }

  #remember({ idempotency_key: key, digest, id, at }: StoredMail): void {
    if (key === null || digest === null) return
    const known = this.#sendings.get(key)
    if (known?.digest === digest) known.ids.push(id)
    else this.#sendings.set(key, { digest, ids: [id], at: Date.parse(at) })
  }

  #rewrite(): void {
    const draft = `${this.#file}.new`
    writeFileSync(draft, this.#mails.map((mail) => `${JSON.stringify(mail)}\n`).join(''))
    renameSync(draft, this.#file)
    this.#linesInFile = this.#mails.length
  }
}

/** A line that was cut off when the machine went down is left out. */
function readLines(file: string): StoredMail[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line)]
      } catch {
        return []
      }
    })
}

function withoutDigest({ digest: _, ...mail }: StoredMail): Mail {
  return mail
}
