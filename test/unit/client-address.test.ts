import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { addressOf, isLoopback } from '../../worker/doors/address.ts'

const app = new Hono().get('/', (c) => c.json({ address: addressOf(c) }))

async function addressFor(said: string): Promise<string | null> {
  const answer = await app.request('/', {
    headers: said === '' ? {} : { 'cf-connecting-ip': said },
  })
  return ((await answer.json()) as { address: string | null }).address
}

describe('P101 an address is that of a household', () => {
  test.each<[said: string, address: string | null]>([
    ['', null],
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001::2:3:4:5:6', '2001:0:0:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('%s', async (said, address) => {
    expect(await addressFor(said)).toBe(address)
  })

  test.each<[said: string, is: boolean]>([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['12.7.0.1', false],
    ['1:0:0:0::1', false],
  ])('%s: whether it is this machine', async (said, is) => {
    expect(isLoopback((await addressFor(said)) ?? '')).toBe(is)
  })
})
