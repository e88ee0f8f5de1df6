import type { Principal } from './principal.ts'
import { isCut } from './session.ts'

/**
 * What an isolate knows of API keys and revocations: a copy of what the Keyring has.
 *
 * Postgres is authoritative, and the Keyring asks it (keyring.ts). Must hold: nothing is decided by
 * a copy that was taken more than BOOK_MS ago; so with the Keyring's own second whatever is revoked
 * is refused well within 10 s (P96). A key that is not in it may be a new one: then a copy is taken
 * anew, but not at once after another, so that whoever guesses keys waits. Requests do not wait for one another's copy, for an isolate cannot
 * await what another request began; the Keyring answers all of them from memory.
 * On failure of the Keyring a copy is believed a little longer, so that an object that is moved
 * disturbs nobody; then nobody is let in whom it would have to know. The operator, and whoever sends
 * nothing, come in without it.
 */
export type Book = {
  readonly version: string
  /** When it was asked for, by this isolate's clock. */
  readonly at: number
  /** By the hash of the key, in hex. */
  readonly keys: ReadonlyMap<string, Key>
  /** Principal → since when, in milliseconds since 1970. */
  readonly revoked: ReadonlyMap<string, number>
}

/** `expiresAt` in milliseconds since 1970. */
export type Key = { id: string; scopes: readonly string[]; expiresAt: number | null }

/** As the Keyring hands it over, and as `belfry.keyring()` says it. */
export type Ring = {
  keys: { id: number; hash: string; scopes: string[]; expires_ms: number | null }[]
  revoked: { [principal: string]: number }
}

/** As much of the binding as is needed here. */
export type KeyringEnv = { KEYRING: { getByName(name: string): unknown } }

const BOOK_MS = 5_000
/** While the Keyring cannot be asked. */
const BELIEVED_MS = 8_000
/** So long a copy is taken for one that a new key would be in. */
const UNKNOWN_MS = 100
/** How often an isolate says that a key is in use. */
const USED_MS = 60_000

/** Neither the database nor a copy of it can say who is let in. */
export class KeyringUnknown extends Error {
  override readonly name = 'KeyringUnknown'
}

type Shelf = { book: Book | null; used: Map<string, number> }
const shelves = new WeakMap<KeyringEnv['KEYRING'], Shelf>()

/**
 * @param youngerThanMs how old it may be
 * @throws KeyringUnknown
 */
export async function bookOf(env: KeyringEnv, youngerThanMs = BOOK_MS): Promise<Book> {
  const { book } = shelfOf(env)
  const age = book === null ? Number.POSITIVE_INFINITY : Date.now() - book.at
  // A clock that went back says nothing of how old it is.
  return book !== null && age >= 0 && age < youngerThanMs ? book : takeBook(env, [])
}

/**
 * The API key of that hash; that it was used is noted.
 * @param hash SHA-256 in hex
 * @throws KeyringUnknown
 */
export async function keyOfHash(env: KeyringEnv, hash: string): Promise<Key | null> {
  const book = await bookOf(env)
  const key = book.keys.get(hash) ?? (await laterBook(env, book)).keys.get(hash) ?? null
  if (key) await noteUse(env, key.id)
  return key
}

/**
 * Whose `users.subject` it is: `users.id` as text; null if it is nobody's.
 * @throws KeyringUnknown
 */
export async function userOfSubject(env: KeyringEnv, subject: string): Promise<string | null> {
  return ask(env, (keyring) => keyring.userOf(subject))
}

/** @returns whether a credential of that principal is good no more */
export function isRevoked(
  { revoked }: Pick<Book, 'revoked'>,
  credential: Pick<Principal, 'name' | 'issuedAt'>,
): boolean {
  const sinceMs = revoked.get(credential.name)
  return sinceMs !== undefined && isCut(credential, { principal: credential.name, sinceMs })
}

/** @param name of a principal: whoever has no row in the database cannot be revoked there */
export function isRevocable(name: string): boolean {
  return name !== 'operator' && name !== 'anyone'
}

/** One that was asked for after now, unless the one there is was asked for just now. */
async function laterBook(env: KeyringEnv, { at }: Book): Promise<Book> {
  const waitMs = at + UNKNOWN_MS - Date.now()
  if (waitMs > 0 && waitMs <= UNKNOWN_MS)
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  return bookOf(env, UNKNOWN_MS)
}

/** Has the Keyring ask Postgres before it answers the next one: something was just written there. */
export async function renewKeyring(env: KeyringEnv): Promise<void> {
  await ask(env, (keyring) => keyring.renew())
}

async function noteUse(env: KeyringEnv, id: string): Promise<void> {
  const { used } = shelfOf(env)
  const now = Date.now()
  if (Math.abs(now - (used.get(id) ?? 0)) < USED_MS) return
  used.set(id, now)
  await takeBook(env, [Number(id)])
}

async function takeBook(env: KeyringEnv, used: number[]): Promise<Book> {
  const shelf = shelfOf(env)
  const at = Date.now()
  const before = shelf.book
  try {
    const read = await ask(env, (keyring) => keyring.read(before?.version ?? null, used))
    const book = read === null && before ? { ...before, at } : bookFrom(read, at)
    // Another request may have taken a newer one meanwhile.
    if (shelf.book === before || (shelf.book?.at ?? 0) <= at) shelf.book = book
    return book
  } catch (error) {
    const age = before === null ? Number.POSITIVE_INFINITY : at - before.at
    if (before === null || age < 0 || age >= BELIEVED_MS) throw error
    return before
  }
}

function bookFrom(read: Reading | null, at: number): Book {
  if (read === null) throw new KeyringUnknown('The Keyring knows of no copy that was never taken.')
  const keys = read.keys.map(({ id, hash, scopes, expires_ms }): [string, Key] => [
    hash,
    { id: String(id), scopes, expiresAt: expires_ms },
  ])
  return {
    version: read.version,
    at,
    keys: new Map(keys),
    revoked: new Map(Object.entries(read.revoked)),
  }
}

/** As the object's doors are typed: keyring.ts. */
export type KeyringDoor = {
  /**
   * @param version of the copy that the caller has
   * @param used ids of keys that were used since it asked last
   * @returns null: that version is the newest
   */
  read(version: string | null, used: number[]): Promise<Reading | null>
  /** What it knows is older than what is in Postgres now. */
  renew(): Promise<void>
  /** @returns `users.id` as text */
  userOf(subject: string): Promise<string | null>
}
export type Reading = Ring & { version: string }

async function ask<Answer>(
  { KEYRING }: KeyringEnv,
  question: (keyring: KeyringDoor) => Promise<Answer>,
): Promise<Answer> {
  const put = () => question(KEYRING.getByName('main') as unknown as KeyringDoor)
  try {
    // An object that is moved or deployed anew is there again at once.
    return await put().catch(put)
  } catch (error) {
    const { message } = error as Error
    throw new KeyringUnknown(`The Keyring could not say who is let in: ${message}`)
  }
}

function shelfOf({ KEYRING }: KeyringEnv): Shelf {
  const shelf = shelves.get(KEYRING) ?? { book: null, used: new Map() }
  shelves.set(KEYRING, shelf)
  return shelf
}
