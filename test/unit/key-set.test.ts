import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWSHeaderParameters,
} from 'jose'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { KeySet } from '../../worker/doors/key-set.ts'

/* When a key set is read, and how long what was read is believed. */

const MINUTE = 60_000
let keys: JWK[]

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  keys = await Promise.all(
    ['old', 'new'].map(async (kid) => {
      const { publicKey } = await generateKeyPair('ES256')
      return { ...(await exportJWK(publicKey as CryptoKey)), kid, alg: 'ES256' }
    }),
  )
})

function world() {
  const served = { keys: keys.slice(0, 1), fails: false, now: 1_000_000, reads: 0 }
  const set = new KeySet(
    async () => {
      served.reads++
      if (served.fails) throw new Error('not there')
      return { keys: served.keys }
    },
    () => served.now,
  )
  const token = { payload: '', signature: '' }
  const has = (kid: string) => {
    const header: JWSHeaderParameters = { alg: 'ES256', kid }
    return Promise.resolve(set.keyOf({ ...header, alg: 'ES256' }, token)).then(
      () => 'has it',
      (error: Error) => error.name,
    )
  }
  return { served, has }
}

describe('P95 a key set', () => {
  it('is read anew after 10 minutes', async () => {
    const { served, has } = world()
    expect(await has('old')).toBe('has it')
    served.now += 10 * MINUTE - 1
    expect(await has('old')).toBe('has it')
    expect(served.reads).toBe(1)
    served.keys = keys.slice(1)
    served.now += 1
    expect(await has('old')).toBe('JWKSNoMatchingKey')
    expect(await has('new')).toBe('has it')
    expect(served.reads).toBe(2)
  })

  it('is read for keys that are not there once in 30 s, however many ask', async () => {
    const { served, has } = world()
    await has('old')
    for (let n = 0; n < 100; n++) {
      served.now += 599
      expect(await has(`made up ${n}`)).toBe('JWKSNoMatchingKey')
    }
    expect(served.reads).toBe(2)
    served.keys = keys
    served.now += 30_000
    expect(await has('new')).toBe('has it')
  })

  it('that cannot be read anew is believed for an hour, and asked for every 30 s', async () => {
    const { served, has } = world()
    await has('old')
    served.fails = true
    served.now += 59 * MINUTE
    for (let n = 0; n < 10; n++) expect(await has('old')).toBe('has it')
    expect(served.reads).toBe(2)
    served.now += MINUTE
    expect(await has('old')).toBe('KeySetUnknown')
    served.fails = false
    served.now += 5_000
    expect(await has('old')).toBe('has it')
  })

  it('that was never read lets nobody in, and is asked for every 5 s', async () => {
    const { served, has } = world()
    served.fails = true
    for (let n = 0; n < 10; n++) expect(await has('old')).toBe('KeySetUnknown')
    expect(served.reads).toBe(1)
    served.now += 5_000
    served.fails = false
    expect(await has('old')).toBe('has it')
  })

  it('is read by each who comes while nobody has read it', async () => {
    const { served, has } = world()
    expect(await Promise.all([has('old'), has('old')])).toEqual(['has it', 'has it'])
    expect(served.reads).toBe(2)
  })

  it('is read anew by a clock that went back', async () => {
    const { served, has } = world()
    await has('old')
    served.now -= MINUTE
    expect(await has('old')).toBe('has it')
    expect(served.reads).toBe(2)
  })
})
