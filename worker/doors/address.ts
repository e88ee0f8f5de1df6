import type { Context } from 'hono'

/**
 * Where a request comes from: as the edge says it, which replaces whatever the caller sent as
 * `cf-connecting-ip`. Of IPv6 the first 64 bits, for that is the least that one household is given.
 * @returns null where no edge is in front
 */
export function addressOf({ req }: Context): string | null {
  const address = req.header('cf-connecting-ip')
  if (!address) return null
  // An address of IPv4 in the clothes of IPv6.
  const address4 = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return address4.includes(':') ? `${first64Bits(address4)}::/64` : address4
}

/** On the machine itself there is no edge: `wrangler dev` says the address of who connects. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '0:0:0:0::/64'
}

function first64Bits(address: string): string {
  const [front = '', back] = address.split('::')
  const before = front === '' ? [] : front.split(':')
  const after = back === undefined || back === '' ? [] : back.split(':')
  const zeros =
    back === undefined ? [] : Array(Math.max(0, 8 - before.length - after.length)).fill('0')
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((hextet) => hextet.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
