import { describe, expect, it } from 'vitest'
import { isLocalRun, readAddress } from '../../worker/webhooks/address.ts'
import { isPublicAddress } from '../../worker/webhooks/network.ts'

const abroad = { local: false }
const why = (text: string) => {
  const address = readAddress(text, abroad)
  return address.ok ? null : address.why
}

describe('P68: an endpoint outside a local run', () => {
  it.each([
    'https://example.com/hooks',
    'https://example.com',
    'https://hooks.example.com./in?token=abc',
    'https://EXAMPLE.com:8443/',
    'https://example.com:443/',
    'https://bücher.example.com/',
    'https://93.184.216.34/',
    'https://[2606:4700:4700::1111]/',
    'https://internal.example.com/',
    'https://localhost.example.com/',
  ])('may be %s', (text) => {
    expect(readAddress(text, abroad)).toMatchObject({ ok: true })
  })

  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/plain,x',
    'wss://example.com/',
  ])('is https: %s', (text) => {
    expect(why(text)).toBe('must begin with https://')
  })

  it.each(['', 'example.com', '/hooks', 'https://', 'https:///', 'https://%00.example.com/', '42'])(
    'is a whole address: %j',
    (text) => {
      expect(why(text)).not.toBeNull()
    },
  )

  it.each([
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://127.255.255.254/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0x0.0x0.0x1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1:8443/',
    'https://１２７.０.０.１/',
    'https://127。0。0。1/',
    'https://%31%32%37.0.0.1/',
    'https://0.0.0.0/',
    'https://0/',
    'https://10.1.2.3/',
    'https://100.64.0.1/',
    'https://100.100.100.200/',
    'https://168.63.129.16/',
    'https://169.254.169.254/latest/meta-data/',
    'https://0xa9fea9fe/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.0.1/',
    'https://192.0.0.192/',
    'https://198.18.0.1/',
    'https://198.19.255.255/',
    'https://203.0.113.7/',
    'https://224.0.0.1/',
    'https://239.255.255.255/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b::169.254.169.254]/',
    'https://[64:ff9b:1::a00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:4136:e378::]/',
    'https://[2001:db8::1]/',
    'https://[3fff::1]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/',
    'https://[ff02::1]/',
    'https://[100::1]/',
  ])('leads into no private network: %s', (text) => {
    expect(why(text)).toMatch('private network')
  })

  it.each([
    'https://localhost/',
    'https://localhost./',
    'https://LOCALHOST/',
    'https://app.localhost/',
    'https://printer.local/',
    'https://printer.LOCAL./',
    'https://metadata.google.internal/',
    'https://metadata/',
    'https://router.home.arpa/',
    'https://wiki.corp/',
    'https://nas.lan/',
    'https://abc.onion/',
  ])('has a name on the Internet: %s', (text) => {
    expect(why(text)).toMatch('on the Internet')
  })

  it.each([
    ['https://ada@example.com/', /no user name/],
    ['https://ada:secret@example.com/', /no user name/],
    ['https://:secret@example.com/', /no user name/],
    ['https://example.com/#part', /before the #/],
    ['https://example.com:22/', /port 443/],
    ['https://example.com:25/', /port 443/],
    ['https://example.com:80/', /port 443/],
    ['https://example.com:0/', /port 443/],
    ['https://exa mple.com/', /no spaces/],
    [' https://example.com/', /no spaces/],
    ['https://example.com/\r\nX-Evil: 1', /no spaces/],
    ['https://exam\tple.com/', /no spaces/],
    ['https:\\\\example.com\\', /backslashes/],
    [`https://${'a'.repeat(64)}.example.com/`, /as DNS does/],
    [`https://${'a.'.repeat(122)}example.com/`, /as DNS does/],
    ['https://a..example.com/', /as DNS does/],
  ])('is refused in words: %s', (text, words) => {
    expect(why(text)).toMatch(words)
  })

  it('is 2,048 characters long at most', () => {
    expect(why(`https://example.com/${'x'.repeat(2_028)}`)).toBeNull()
    expect(why(`https://example.com/${'x'.repeat(2_029)}`)).toMatch(/2048 characters/)
  })
})

describe('P68: an endpoint in a local run', () => {
  it.each(['http://127.0.0.1:9999/hooks', 'http://localhost:80/', 'https://10.0.0.1:22/'])(
    'may be %s',
    (text) => {
      expect(readAddress(text, { local: true })).toMatchObject({ ok: true })
    },
  )

  it.each(['ftp://localhost/', 'http://ada:secret@localhost/', 'localhost:9999', 'http://a b/'])(
    'is refused all the same: %s',
    (text) => {
      expect(readAddress(text, { local: true })).toMatchObject({ ok: false })
    },
  )

  it.each([
    ['http://127.0.0.1:8787', true],
    ['http://localhost:8787/', true],
    ['http://[::1]:8787', true],
    ['https://localhost', false],
    ['http://127.0.0.1.example.com', false],
    ['http://belfry.example.com', false],
    ['https://belfry.example.com', false],
    ['localhost', false],
    ['', false],
    [undefined, false],
  ])('is told by PUBLIC_URL: %s', (publicUrl, local) => {
    expect(isLocalRun(publicUrl)).toBe(local)
  })
})

describe('isPublicAddress', () => {
  it.each([
    ['1.1.1.1', true],
    ['9.255.255.255', true],
    ['11.0.0.0', true],
    ['100.63.255.255', true],
    ['100.128.0.0', true],
    ['172.15.255.255', true],
    ['172.32.0.0', true],
    ['192.167.255.255', true],
    ['223.255.255.255', true],
    ['2001:200::1', true],
    ['2001:1ff::1', false],
    ['2620:4f:8000::1', true],
    ['3fff:1000::1', true],
    ['4000::1', false],
    ['1fff::1', false],
    ['256.1.1.1', false],
    ['1.1.1', false],
    ['', false],
    ['nonsense', false],
    ['::g', false],
  ])('%s: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected)
  })
})
