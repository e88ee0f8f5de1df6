import { describe, expect, it } from 'vitest'
import { renderMail } from '../../worker/mail/letter.ts'
import { noticeMails } from '../../worker/webhooks/notice.ts'

const notice = {
  id: '0f0e0d0c-0b0a-4900-8807-060504030201',
  since: Date.parse('2026-11-20T08:31:12.000Z'),
  lastError: 'The endpoint answered 500: <b>out of order</b>',
}
const endpoint = {
  id: '11111111-1111-4111-8111-111111111111',
  url: 'https://shop.example.com/hooks?token=abc',
}

describe('P66: the notice that an endpoint was switched off', () => {
  it('is a mail that can be written, and says where, since when and why', () => {
    const [owed] = noticeMails(notice, endpoint, 'ops@example.com')
    const letter = renderMail(owed?.body ?? '', { unsubscribeUrl: null })
    expect(letter.subject).toContain('https://shop.example.com/hooks')
    for (const said of ['shop.example.com/hooks', endpoint.id, '2026', 'out of order'])
      expect(letter.text).toContain(said)
    expect(letter.html).not.toContain('<b>out')
    expect(JSON.stringify(letter)).not.toContain('token=abc')
  })

  it('is one for each of ALERT_RECIPIENTS, under the notice’s own UUID', () => {
    const owed = noticeMails(notice, endpoint, 'ops@example.com, Desk <desk@example.com>')
    expect(owed.map(({ recipient, change, rule }) => [recipient, change, rule])).toEqual([
      ['ops@example.com', notice.id, 0],
      ['desk@example.com', notice.id, 0],
    ])
  })

  it.each([undefined, '', ' , '])('is none if nobody is named: %j', (recipients) => {
    expect(noticeMails(notice, endpoint, recipients)).toEqual([])
  })
})
