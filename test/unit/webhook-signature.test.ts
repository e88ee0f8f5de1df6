import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { newSecret, signedHeaders } from '../../worker/webhooks/signature.ts'

const message = { id: '0f0e0d0c-0b0a-4900-8807-060504030201', body: '{"name":"Zoë \u202e"}' }

describe('P65: a webhook is signed after Standard Webhooks', () => {
  it('with every secret in force, as the library of Standard Webhooks checks it', async () => {
    const secrets = [newSecret(), newSecret()]
    const headers = await signedHeaders(message, secrets, Date.now())
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const secret of secrets)
      expect(new Webhook(secret).verify(message.body, headers)).toEqual({ name: 'Zoë \u202e' })
    expect(() => new Webhook(newSecret()).verify(message.body, headers)).toThrow('signature')
    expect(() => new Webhook(secrets[0] as string).verify(`${message.body} `, headers)).toThrow()
  })

  it('as the specification’s own example', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }
    expect(await signedHeaders(example, [secret], 1_614_265_330_999)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('with secrets of 32 random bytes', () => {
    const secret = newSecret()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(newSecret()).not.toBe(secret)
  })
})
