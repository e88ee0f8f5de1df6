import { describe, expect, test } from 'vitest'
import { emailPage, emailStory } from '../../../client/dashboard/mail/email.ts'
import { LETTER_SANDBOX, letterPage } from '../../../client/dashboard/mail/letter-page.ts'
import {
  occurrenceState,
  occurrenceWord,
  queryWords,
  recipientWords,
  refusalWords,
  told,
  whenSentence,
} from '../../../client/dashboard/mail/mail-sentences.ts'
import {
  everyMail,
  mailFilter,
  readSearch,
  searchText,
} from '../../../client/dashboard/mail/query.ts'
import { rule } from '../../../client/dashboard/mail/rule.ts'
import {
  breakdown,
  groupOf,
  groups,
  type MailCounts,
  sum,
} from '../../../client/dashboard/mail/states.ts'
import {
  mailsPath,
  orderPath,
  ordersPath,
  readRoute,
  rulesPath,
  templatesPath,
} from '../../../client/dashboard/route.ts'
import { deliveryStates } from '../../../protocol/delivery-states.ts'
import { redriveOrder } from '../../../worker/api/email-schemas.ts'

const none = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as MailCounts
const at = (path: string) => readRoute(new URL(path, 'https://belfry.example').href)

describe('states', () => {
  test('each stand in one group', () => {
    expect(groups.flatMap(({ states }) => states).sort()).toEqual([...deliveryStates].sort())
  })

  test('are counted in their group, and told apart where there are several', () => {
    const [waiting, sent] = groups
    if (!waiting || !sent) throw new Error('the groups are gone')
    const counts = { ...none, queued: 1_200, failed: 3, sent: 7 }
    expect(sum(counts, waiting.states)).toBe(1_203)
    expect(breakdown(waiting, counts)).toBe('1,200 queued, 3 failed')
    expect(breakdown(waiting, none)).toBe('nothing waits')
    expect(breakdown(sent, counts)).toBe('the provider has them')
  })

  test.each([
    [[], undefined],
    [['parked'], 'stuck'],
    [['unknown', 'parked'], 'stuck'],
    [['sent'], 'sent'],
    [['sent', 'parked'], undefined],
  ] as const)('%j are of the group %s', (states, name) => expect(groupOf(states)?.name).toBe(name))
})

describe('the address of the page', () => {
  test.each([
    ['/', { page: 'orders', search: null }],
    [ordersPath('#42'), { page: 'orders', search: '#42' }],
    [orderPath(42), { page: 'order', id: 42 }],
    ['/orders/042', { page: 'orders', search: null }],
    ['/orders/9007199254740993', { page: 'orders', search: null }],
    [mailsPath(), { page: 'mail', pane: 'mails', query: everyMail, open: null }],
    [
      mailsPath({ states: ['unknown', 'parked'], recipient: 'a+b@example.com', rule: 3 }, 17),
      {
        page: 'mail',
        pane: 'mails',
        query: {
          states: ['unknown', 'parked'],
          order: null,
          recipient: 'a+b@example.com',
          rule: 3,
        },
        open: 17,
      },
    ],
    [rulesPath(), { page: 'mail', pane: 'rules' }],
    [templatesPath(), { page: 'mail', pane: 'templates', template: null }],
    [templatesPath('a&b'), { page: 'mail', pane: 'templates', template: 'a&b' }],
  ])('%s is read back', (path, route) => expect(at(path)).toEqual(route))

  test.each(['/mail?state=lost,,&rule=x&mail=-1&order=', '/mail?show=nothing&mail=1e3&rule=1.5'])(
    '%s asks for nothing we know: all mails',
    (path) =>
      expect(at(path)).toEqual({ page: 'mail', pane: 'mails', query: everyMail, open: null }),
  )
})

describe('the search', () => {
  test.each([
    ['#42', '42', null],
    [' 42 ', '42', null],
    ['Ada@example.com', null, 'Ada@example.com'],
    ['  ', null, null],
    ['#', null, '#'],
  ])('%j is order %s, recipient %s', (text, order, recipient) => {
    expect(readSearch(text)).toEqual({ order, recipient })
    expect(readSearch(searchText({ ...everyMail, order, recipient }))).toEqual({ order, recipient })
  })
})

test('what a redrive is asked for is what the server takes', () => {
  const query = { states: ['parked'], order: '042', recipient: 'A@x.example', rule: 2 } as const
  const order = { filter: mailFilter(query), dry_run: true }
  expect(redriveOrder.parse(order)).toMatchObject({
    filter: { state: ['parked'], order: '042', rule: 2 },
    dry_run: true,
  })
  expect(mailFilter(everyMail)).toEqual({})
})

describe('in words', () => {
  const filled = {
    table: 'orders',
    ops: ['insert', 'update'],
    when: { status: { became: ['filled'] } },
  }
  test.each([
    [filled, 'a row of orders is inserted or updated, and status becomes filled'],
    [
      { ...filled, ops: ['update'], when: { a: { is: ['x', null] }, b: { changed: true } } },
      'a row of orders is updated, and a is x or null, and b changes',
    ],
    [
      { ...filled, ops: ['delete'], when: { a: { was: 3 } } },
      'a row of orders is deleted, and a was 3',
    ],
    [{ ...filled, ops: [], when: 'nonsense' }, 'a row of orders is nothing'],
    [
      { ...filled, when: { a: { above: 3 } } },
      'a row of orders is inserted or updated, and a passes {"above":3}',
    ],
  ])('a rule: %j', (given, sentence) => expect(whenSentence(given)).toBe(sentence))

  test.each([
    [[{ setting: 'S' }, { column: 'c' }], 'the addresses in S and the row’s c'],
    [[{ user: 'u' }, { address: 'a@b.example' }], 'the user in u, as they prefer and a@b.example'],
    [[], 'nobody'],
    ['nonsense', '"nonsense"'],
  ])('recipients: %j', (recipients, words) => expect(recipientWords({ recipients })).toBe(words))

  test('a refusal, without the routes that only a program wants', () => {
    expect(
      refusalWords({
        title: 'That cannot be done',
        detail: 'Mail 4 may be on its way. Look again: GET /api/emails/4 says what came of it.',
      }),
    ).toBe('That cannot be done. Mail 4 may be on its way.')
  })

  test('a filter', () => {
    expect(queryWords(everyMail, null)).toBe('all mails')
    expect(
      queryWords(
        { states: ['unknown', 'parked'], order: '4', recipient: 'a@b', rule: 2 },
        'welcome',
      ),
    ).toBe('unknown or parked mails about order #4 to a@b of the rule welcome')
  })

  test('what happened, with the news that it was sent told once', () => {
    const occurrence = (kind: string, detail: string | null = null) => ({ at: '', kind, detail })
    const kinds = ['queued', 'attempt', 'sent', 'sent', 'delivered'].map((kind) => occurrence(kind))
    expect(told(kinds).map(({ kind }) => kind)).toEqual(['queued', 'attempt', 'sent', 'delivered'])
    const twice = [occurrence('sent'), occurrence('sent', 'to another server'), occurrence('sent')]
    expect(told(twice)).toHaveLength(2)
    expect(told([occurrence('attempt'), occurrence('attempt')])).toHaveLength(2)
  })

  test('what happened, also of a kind that we do not know', () => {
    const occurrence = (kind: string) => ({ at: '', kind, detail: null })
    expect(occurrenceWord(occurrence('complained'))).toBe('Marked as spam')
    expect(occurrenceWord(occurrence('taken_back'))).toBe('Taken back')
    expect(occurrenceState(occurrence('bounced'))).toBe('bounced')
    expect(occurrenceState(occurrence('taken_back'))).toBe('queued')
  })
})

describe('a letter in a frame', () => {
  const html =
    '<!doctype html><style>@media (prefers-color-scheme: dark) { a { color: red } }</style>'

  test('is dark or light as asked, whatever the system prefers', () => {
    expect(letterPage(html, 'dark')).toContain('@media (min-width: 0)')
    expect(letterPage(html, 'light')).toContain('@media (max-width: 0)')
  })

  test('leads nowhere, and nothing runs in its frame', () => {
    expect(letterPage(html, 'light')).toMatch(/^<base target="_blank">/)
    expect(LETTER_SANDBOX).toBe('allow-same-origin')
  })
})

describe('answers', () => {
  const email = {
    id: 1,
    rule: 1,
    rule_name: 'order-filled',
    change: 'c',
    table: 'orders',
    key: '42',
    order_id: 42,
    recipient: 'a@b.example',
    state: 'queued',
    attempts: 0,
    next_at: null,
    last_error: null,
    provider_id: null,
    created_at: '2026-11-21T08:33:55.123Z',
    first_at: null,
    sent_at: null,
  }

  test('are taken in their shape only', () => {
    const page = { emails: [email], next_cursor: null, counts: none }
    expect(emailPage.safeParse(page).success).toBe(true)
    expect(emailPage.safeParse({ ...page, emails: [{ ...email, state: 'lost' }] }).success).toBe(
      false,
    )
    expect(emailPage.safeParse({ ...page, counts: { queued: 1 } }).success).toBe(false)
    expect(emailStory.safeParse(email).success).toBe(false)
    expect(emailStory.safeParse({ ...email, history: [], letter: null }).success).toBe(true)
  })

  test('of a rule may hold what SQL wrote', () => {
    const written = {
      id: 1,
      version: 2,
      name: 'r',
      table: 't',
      ops: [],
      when: 7,
      template: null,
      category: 'c',
    }
    const answer = { ...written, recipients: {}, enabled: true, problem: 'no' }
    expect(rule.parse(answer)).toEqual(answer)
  })
})
