/**
 * Which IP addresses are somebody's on the public Internet: those outside the special purposes of
 * RFC 6890 and its registries. IPv6 is allowed by its global range instead of forbidden by a list,
 * so that everything which carries an IPv4 address inside (mapped, NAT64) is refused as a whole.
 */
export function isPublicAddress(address: string): boolean {
  return address.includes(':') ? isPublicIpv6(address) : isPublicIpv4(address)
}

const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // behind a carrier's NAT; clouds keep metadata here too
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's metadata, in the midst of the public range
  '169.254.0.0/16', // link-local, and most clouds' metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
].map((text) => {
  const [base = '', bits = ''] = text.split('/')
  return { base: ipv4Number(base) ?? 0, size: 2 ** (32 - Number(bits)) }
})

function isPublicIpv4(text: string): boolean {
  const address = ipv4Number(text)
  if (address === null) return false
  return !NOT_PUBLIC_IPV4.some(({ base, size }) => address >= base && address < base + size)
}

function isPublicIpv6(text: string): boolean {
  const groups = ipv6Groups(text)
  if (!groups) return false
  const [first = 0, second = 0] = groups
  // 2000::/3 is all that has ever been given out.
  if (first < 0x2000 || first > 0x3fff) return false
  if (first === 0x2001 && second < 0x0200) return false // protocol assignments, Teredo
  if (first === 0x2001 && second === 0x0db8) return false // documentation
  if (first === 0x2002) return false // 6to4: an IPv4 address inside
  return !(first === 0x3fff && second < 0x1000) // documentation
}

function ipv4Number(text: string): number | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return null
  return parts.reduce((number, part) => number * 256 + Number(part), 0)
}

/** @returns the eight groups; null if it is no IPv6 address */
function ipv6Groups(text: string): number[] | null {
  const hostname = URL.parse(`http://[${text}]/`)?.hostname
  if (hostname === undefined) return null
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const left = groupsOf(head)
  if (tail === undefined) return left
  const right = groupsOf(tail)
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
