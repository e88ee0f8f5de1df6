import { isPublicAddress } from './network.ts'

/**
 * Where a webhook may go. An endpoint's address is a stranger's text that this worker will call,
 * so it must not lead to anything that only the inside may call.
 *
 * Must hold outside a local run: https, to a public name or a public IP address, whatever
 * notation hides it (`URL` has already read `0x7f.1` and `2130706433` as 127.0.0.1), to port 443
 * or one from 1024, and without a password. What a name stands for is looked at apart from this,
 * when it is registered and again before sending: name-lookup.ts.
 * In a local run, which is one whose PUBLIC_URL is http on this very machine, http and any
 * address will do, so that a script beside it can be the endpoint.
 */
export type Address = { ok: true; url: URL } | { ok: false; why: string }

export const MAX_URL_LENGTH = 2_048

/** @param text as it was given */
export function readAddress(text: string, { local }: { local: boolean }): Address {
  if (text.length > MAX_URL_LENGTH) return no(`must be at most ${MAX_URL_LENGTH} characters`)
  // URL would drop these without a word.
  if (/[\s\p{Cc}\\]/u.test(text)) return no('must hold no spaces, backslashes or line breaks')
  const url = URL.parse(text)
  if (!url) return no('must be a whole address, such as https://example.com/hooks')
  if (url.username !== '' || url.password !== '')
    return no('must hold no user name or password: whoever is called checks the signature')
  if (url.hash !== '') return no('must end before the #: what follows is never sent')
  if (local && url.protocol === 'http:') return { ok: true, url }
  if (url.protocol !== 'https:') return no('must begin with https://')
  const why = local ? null : (whyNotPort(url.port) ?? whyNotHost(url.hostname))
  return why === null ? { ok: true, url } : no(why)
}

/** @param publicUrl the worker's own `PUBLIC_URL` */
export function isLocalRun(publicUrl: string | undefined): boolean {
  const url = URL.parse(publicUrl ?? '')
  return url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}

/** @returns null if it is a name, whose addresses are yet to be looked up */
export function addressInHost(hostname: string): string | null {
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : null
}

/** What stands for the inside of some network, and is no one's on the Internet. */
const INNER_NAMES = [
  'localhost',
  'local',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'home.arpa',
  'onion',
]

function whyNotPort(port: string): string | null {
  return port === '' || Number(port) >= 1024 ? null : 'must use port 443, or one from 1024'
}

function whyNotHost(hostname: string): string | null {
  const address = addressInHost(hostname)
  if (address !== null)
    return isPublicAddress(address)
      ? null
      : `must not lead into a private network, as ${address} does`
  const name = hostname.replace(/\.$/, '')
  if (name.length > 253 || !name.split('.').every((label) => /^[\w-]{1,63}$/.test(label)))
    return 'must name a host as DNS does'
  if (!name.includes('.')) return `must name a host on the Internet; "${name}" has no domain`
  return INNER_NAMES.some((inner) => name.endsWith(`.${inner}`))
    ? `must name a host on the Internet; "${name}" is of an inner network`
    : null
}

function no(why: string): Address {
  return { ok: false, why }
}
