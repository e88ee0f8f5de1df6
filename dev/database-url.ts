import { Failure } from './failure.ts'

/**
 * A database address as all parts need it: with user, host and database, since Neon's driver
 * refuses an address that leaves one to be guessed.
 * @param name of the variable it stands in, for the sentence if it is wrong
 */
export function parseDatabaseUrl(text: string, name: string): URL {
  const url = parse(text)
  if (!url)
    throw new Failure(
      `${name} must be like postgresql://user:password@host:5432/database, with user, host and database.`,
    )
  return url
}

/** Whether two addresses mean the same user of the same database. */
export function sameDatabase(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)]
  return a !== null && b !== null && identity(a) === identity(b)
}

/**
 * The address for what a pooler cannot do (migrations, LISTEN). Neon's pooled host is the direct
 * one with `-pooler` in it; any other address is taken as direct.
 */
export function directAddress(text: string): string {
  return text.replace(/(@ep-[^./@]+)-pooler(\.)/, '$1$2')
}

/** Without the password, for people to read. */
export function spokenAddress(text: string): string {
  const url = parse(text)
  return url ? `${url.host}${url.pathname}` : text
}

/** URL keeps the host's case and the port only for schemes it knows, so it is given one. */
function parse(text: string): URL | null {
  if (!/^postgres(ql)?:\/\//.test(text)) return null
  const url = URL.parse(text.replace(/^postgres(ql)?:/, 'http:'))
  const isComplete = url?.username && url.hostname && url.pathname.length > 1
  return isComplete && /^([^%]|%[0-9a-f]{2})*$/i.test(text) ? url : null
}

function identity(url: URL): string {
  return [url.username, url.hostname, url.port || '5432', url.pathname]
    .map(decodeURIComponent)
    .join(' ')
}
