import type { Context } from 'hono'
import type { z } from 'zod'
import { fullJitter } from '../../protocol/backoff.ts'
import { requestIdOf } from '../doors/request-id.ts'
import { writeByHalves } from './by-halves.ts'
import { DatabaseNotConfigured, databaseAdvice, databaseFailure } from './database-failure.ts'
import { type Line, linesOf } from './ndjson-lines.ts'
import { columnsOf, faultsOf, userLine } from './user-schemas.ts'
import { type GivenUser, upsertUsers } from './user-store.ts'

/**
 * Loads users from lines of NDJSON, and says line by line what came of it (P88).
 *
 * Each line is taken by itself: one that is refused is named by its number and holds back none of
 * the others. About a thousand are written at a time, in their order and before more are read, so
 * that memory is bounded by one such batch however long the load is. Lines of one user that fall
 * into one batch are written as one.
 * If the database fails for good, or the lines break off, the load ends there and says so; loaded
 * again it does the rest.
 */
export async function* loadUsers(
  c: Context,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const load = new Load(c)
  try {
    for await (const line of linesOf(stream)) {
      const read = readUser(line)
      if (read.ok && load.mustWriteBefore(read)) yield await load.write()
      load.take(read)
      if (load.isFull) yield await load.write()
    }
    yield (await load.write()) + load.end({ done: true })
  } catch (error) {
    yield load.end({
      done: false,
      message: `${whyEnded(c, error)} Then load the same again: what is loaded is left as it is.`,
    })
  }
}

/** One statement's worth. */
const BATCH_LINES = 1_000
const BATCH_CHARACTERS = 512 * 1024
/** Of each statement; together within a minute, after which a reader may think that nobody is there. */
const MAX_ATTEMPTS = 3
const PAUSE = { baseMs: 250, capMs: 4_000 }

type UserLine = { ok: true; number: number; characters: number; user: GivenUser }
type Read = UserLine | { ok: false; number: number; why: string }

class Load {
  readonly #c: Context
  readonly #tally = { lines: 0, created: 0, changed: 0, unchanged: 0, failed: 0 }
  #batch: UserLine[] = []
  #characters = 0
  /** Ids in the batch; true if none of their lines has a name. */
  #nameless = new Map<number, boolean>()
  #saidAt = 0
  #said = ''

  constructor(c: Context) {
    this.#c = c
  }

  get isFull(): boolean {
    const unsaid = this.#tally.lines - this.#saidAt
    return unsaid >= BATCH_LINES || this.#characters >= BATCH_CHARACTERS
  }

  /** Before a name is given, it must show whether the user was there without it. */
  mustWriteBefore({ user }: UserLine): boolean {
    return 'name' in user.fields && this.#nameless.get(user.id) === true
  }

  take(line: Read): void {
    this.#tally.lines += 1
    if (!line.ok) return this.#refuse(line.number, line.why)
    this.#batch.push(line)
    this.#characters += line.characters
    const { id, fields } = line.user
    this.#nameless.set(id, this.#nameless.get(id) !== false && !('name' in fields))
  }

  /** @returns what there is to say since the last time; '' for nothing */
  async write(): Promise<string> {
    const lines = this.#batch
    this.#batch = []
    this.#characters = 0
    this.#nameless.clear()
    await writeByHalves(
      lines,
      (some) => this.#upsert(some),
      ({ number }, why) => this.#refuse(number, why),
    )
    return this.#tally.lines > this.#saidAt ? this.#say(this.#tally) : ''
  }

  end(outcome: { done: true } | { done: false; message: string }): string {
    return this.#say({ ...outcome, ...this.#tally })
  }

  async #upsert(lines: readonly UserLine[]): Promise<void> {
    const given = new Map<number, GivenUser>()
    for (const { user } of lines) {
      const fields = { ...given.get(user.id)?.fields, ...user.fields }
      given.set(user.id, { id: user.id, fields })
    }
    const { created, changed, missing } = await persistently(() =>
      upsertUsers(this.#c, [...given.values()]),
    )
    const unknown = new Set(missing)
    const refused = lines.filter(({ user }) => unknown.has(user.id))
    for (const { number, user } of refused)
      this.#refuse(number, `There is no user ${user.id} yet. Give a name, and one is created.`)
    this.#tally.created += created
    this.#tally.changed += changed
    this.#tally.unchanged += lines.length - refused.length - created - changed
  }

  #refuse(line: number, message: string): void {
    this.#tally.failed += 1
    this.#said += sayLine({ line, message })
  }

  #say(word: object): string {
    const said = this.#said + sayLine(word)
    this.#said = ''
    this.#saidAt = this.#tally.lines
    return said
  }
}

function readUser(line: Line): Read {
  const { number } = line
  if (!line.ok) return line
  const parsed = userLine.safeParse(jsonOf(line.text))
  if (!parsed.success) return { ok: false, number, why: firstFault(parsed.error) }
  const { id, ...fields } = parsed.data
  return { ok: true, number, characters: line.text.length, user: { id, fields: columnsOf(fields) } }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function firstFault(error: z.ZodError): string {
  const [fault] = faultsOf(error)
  const path = fault?.path.join('.')
  return path
    ? `${path}: ${fault?.message}`
    : 'The line is not a JSON object, such as {"id": 42, "name": "Ada"}.'
}

function whyEnded(c: Context, error: unknown): string {
  if (databaseFailure(error) !== null) return databaseAdvice(error)
  console.warn(
    JSON.stringify({
      message: 'a load broke off',
      request_id: requestIdOf(c),
      error: String(error),
    }),
  )
  return 'The lines broke off. Look at what sends them.'
}

/** What may succeed later is tried again; a batch may be written twice. */
async function persistently<Outcome>(write: () => Promise<Outcome>): Promise<Outcome> {
  for (let attempt = 1; ; attempt++)
    try {
      return await write()
    } catch (error) {
      const mayPass = databaseFailure(error)?.code === 'database_unavailable'
      if (!mayPass || error instanceof DatabaseNotConfigured || attempt === MAX_ATTEMPTS)
        throw error
      const pauseMs = fullJitter(attempt, PAUSE, Math.random())
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
}

function sayLine(word: object): string {
  return `${JSON.stringify(word)}\n`
}
