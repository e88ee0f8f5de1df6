/**
 * Which address the listener connects to. It needs a session of its own for LISTEN and for the
 * advisory lock of leadership, and a pooler that hands out sessions by transaction has neither.
 */
export type Address =
  | { ok: true; url: string; note: string | null }
  | { ok: false; sentence: string }

/** @param text the value of DATABASE_URL */
export function directAddress(text: string | undefined): Address {
  if (!text) return refuse('Set DATABASE_URL to the direct address of the database.')
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return refuse(
      'DATABASE_URL is not an address: it should read postgres://user:password@host:5432/database.',
    )
  }
  if (!/^postgres(ql)?:$/.test(url.protocol))
    return refuse(`DATABASE_URL begins with ${url.protocol}//; it should begin with postgres://.`)
  const direct = neonDirectHost(url.hostname)
  if (direct === null) return { ok: true, url: text, note: null }
  url.hostname = direct
  const note = `DATABASE_URL names Neon's pooler; connecting to its direct host ${direct} instead`
  return { ok: true, url: url.href, note }
}

/** Neon's pooled host is the direct one with `-pooler` after the endpoint's id. */
function neonDirectHost(host: string): string | null {
  const match = /^([^.]+)-pooler(\..*)$/.exec(host)
  return match && host.endsWith('.neon.tech') ? `${match[1]}${match[2]}` : null
}

export const POOLER_SENTENCE =
  'DATABASE_URL leads to a pooler that shares sessions between transactions, where LISTEN and ' +
  'session locks do not work. Set it to the direct address of the database (often the same host ' +
  'with port 5432; with pgbouncer, the server behind it).'

function refuse(sentence: string): Address {
  return { ok: false, sentence }
}
