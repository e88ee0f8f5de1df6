import { describe, expect, test } from 'vitest'
import { directAddress } from '../../listener/address.ts'

describe('directAddress', () => {
  test.each([
    'postgres://user:password@db.example.com:5432/shop',
    'postgresql://user@127.0.0.1/shop?sslmode=require',
    'postgresql://user:p%40ss@ep-cool-dawn-123.eu-central-1.aws.neon.tech/neondb?sslmode=require',
    'postgres://user@my-pooler.example.com/shop',
  ])('P14 %s is taken as it stands', (url) => {
    expect(directAddress(url)).toEqual({ ok: true, url, note: null })
  })

  test('P14 Neon’s pooled host is replaced by its direct one, and that is said', () => {
    expect(
      directAddress(
        'postgresql://user:p%40ss@ep-cool-dawn-123-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
      ),
    ).toEqual({
      ok: true,
      url: 'postgresql://user:p%40ss@ep-cool-dawn-123.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
      note: expect.stringContaining('ep-cool-dawn-123.eu-central-1.aws.neon.tech'),
    })
  })

  test.each([
    [undefined, /^Set DATABASE_URL to the direct address/],
    ['', /^Set DATABASE_URL to the direct address/],
    ['db.example.com', /not an address.*postgres:\/\/user/],
    ['postgres://user@host:port/db', /not an address/],
    ['mysql://user@host/db', /begins with mysql:\/\/; it should begin with postgres:\/\//],
  ])('P14 %s is refused with what it should be', (text, sentence) => {
    expect(directAddress(text)).toEqual({ ok: false, sentence: expect.stringMatching(sentence) })
  })

  test('P14 no refusal repeats the address, which may hold a password', () => {
    const refused = directAddress('http://user:hunter2@host/db')
    expect(refused.ok).toBe(false)
    expect(JSON.stringify(refused)).not.toContain('hunter2')
  })
})
