import { describe, expect, it } from 'vitest'
import { mailTable } from '../../client/cli/mail-list.ts'
import { rulesView } from '../../client/cli/mail-rules.ts'
import { type MailStory, storyView } from '../../client/cli/mail-show.ts'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const mail = {
  id: 57,
  rule: 1,
  rule_name: 'order-filled',
  change: '0f0e0d0c-0b0a-4900-8807-060504030201',
  table: 'orders',
  key: '42',
  order_id: 42,
  recipient: 'ada@example.com',
  state: 'parked',
  attempts: 8,
  next_at: null,
  last_error: '422 validation_error: The address cannot be reached.',
  provider_id: null,
  created_at: '2026-11-21T08:33:55.123Z',
  first_at: '2026-11-21T08:33:56.000Z',
  sent_at: null,
}

const story: MailStory = {
  ...mail,
  history: [
    { at: '2026-11-21T08:33:55.123Z', kind: 'queued', detail: null },
    { at: '2026-11-21T08:33:56.000Z', kind: 'attempt', detail: 'the first' },
    { at: '2026-11-21T08:33:57.000Z', kind: 'parked', detail: 'validation_error' },
  ],
  letter: { subject: 'Order 42 is filled', html: '<p>', text: 'Order 42 is filled.\n\nBye\n' },
}

async function belfry(args: string[], answer: (asked: Asked) => Answered) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, BELFRY_ADMIN_TOKEN: 'secret' }
  const status = await run(['mail', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

const nothing = () => ({ body: { emails: [], next_cursor: null, counts: {} } })

describe('mail list', () => {
  it('has a line for each mail, the error last', () => {
    const lines = mailTable([mail], new FakeTerminal()).split('\n')
    expect(lines[0]).toMatch(/^id {2}state +recipient +about +rule +tries {2}owed \(UTC\) +error$/)
    expect(lines[1]).toBe(
      '57  parked  ada@example.com  orders 42  order-filled      8  2026-11-21 08:33:55  422 validation_error: The address cannot be reached.',
    )
  })

  it('is cut to the terminal, and coloured by what needs a person', () => {
    const terminal = new FakeTerminal()
    terminal.columns = 40
    terminal.colours = true
    const states = ['parked', 'unknown', 'failed', 'delivered', 'queued', 'constructor']
    const table = mailTable(
      states.map((state) => ({ ...mail, state })),
      terminal,
    )
    const lines = table.trimEnd().split('\n').slice(1)
    expect(lines.map((line) => /^<(\w+)>/.exec(line)?.[1])).toEqual([
      ...['red', 'red', 'yellow', 'green'],
      ...[undefined, undefined],
    ])
    for (const line of lines) expect(line.replace(/<[^>]*>/g, '').length).toBe(40)
  })

  it('asks for what is wanted, page after page', async () => {
    const { status, out, asked } = await belfry(
      ['list', '--state', 'parked', '--order', '42', '--recipient', 'a@b', '--all', '--json'],
      ({ query }) => ({
        body: query.cursor
          ? { emails: [{ ...mail, id: 41 }], next_cursor: null }
          : { emails: [mail], next_cursor: 'next' },
      }),
    )
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject([{ id: 57 }, { id: 41 }])
    const wanted = { state: 'parked', order: '42', recipient: 'a@b', limit: '200' }
    expect(asked.map(({ path, query }) => [path, query])).toEqual([
      ['/api/emails', wanted],
      ['/api/emails', { ...wanted, cursor: 'next' }],
    ])
  })

  it('says that there are more, or none', async () => {
    const more = await belfry(['list', '--rule', '1'], () => ({
      body: { emails: [mail], next_cursor: 'next' },
    }))
    expect(more.err).toBe('There are more: --all lists them, --limit takes up to 200.\n')
    expect(more.asked).toMatchObject([{ query: { rule: '1' } }])
    expect(await belfry(['list'], nothing)).toMatchObject({
      status: 0,
      out: '',
      err: 'No mail is like that.\n',
    })
  })
})

describe('mail show', () => {
  it('tells what it is, what happened to it, and what it says', () => {
    expect(storyView(story, new FakeTerminal().paint).split('\n')).toEqual([
      'mail 57  parked',
      '  to         ada@example.com',
      '  about      orders 42, change 0f0e0d0c-0b0a-4900-8807-060504030201',
      '  rule       order-filled (1)',
      '  attempts   8',
      '  last error 422 validation_error: The address cannot be reached.',
      '',
      'history (UTC)',
      '  2026-11-21 08:33:55  queued',
      '  2026-11-21 08:33:56  attempt    the first',
      '  2026-11-21 08:33:57  parked     validation_error',
      '',
      'letter',
      '  Subject: Order 42 is filled',
      '',
      '  Order 42 is filled.',
      '',
      '  Bye',
      '',
    ])
  })

  it('says so when its letter cannot be written any more', () => {
    const view = storyView({ ...story, letter: null, next_at: '2026-11-21T08:34:00Z' }, String)
    expect(view).toMatch(/cannot be written any more/)
  })

  it('reads it from the worker, whole with --json', async () => {
    const shown = await belfry(['show', '57'], () => ({ body: story }))
    expect(shown.asked).toMatchObject([{ method: 'GET', path: '/api/emails/57' }])
    expect(shown.out).toContain('Subject: Order 42 is filled')
    const json = await belfry(['show', '57', '--json'], () => ({ body: story }))
    expect(JSON.parse(json.out)).toEqual(story)
  })

  it('nothing that a row, a server or a letter says can play tricks on the terminal', () => {
    const evil = '\u001b[2Jgone\r\nto\u202e'
    const letter = { subject: evil, html: evil, text: evil }
    const strings = { recipient: evil, table: evil, key: evil, rule_name: evil, state: evil }
    const all = { ...story, ...strings, last_error: evil, provider_id: evil, change: evil, letter }
    const history = [{ at: evil, kind: evil, detail: evil }]
    const terminal = new FakeTerminal()
    const shown = [storyView({ ...all, history }, terminal.paint), mailTable([all], terminal)]
    for (const view of shown)
      for (const mark of ['\u001b', '\r', '\u202e']) expect(view).not.toContain(mark)
  })
})

describe('mail redrive', () => {
  it('tries one again', async () => {
    const { status, err, asked } = await belfry(['redrive', '57'], () => ({
      body: { redriven: 1 },
    }))
    expect({ status, err }).toEqual({
      status: 0,
      err: 'Mail 57 is tried again: `belfry mail show 57` says how it goes.\n',
    })
    expect(asked).toMatchObject([{ method: 'POST', path: '/api/emails/57/redrive' }])
  })

  const answer = ({ body }: Asked) => ({
    body: (body as { dry_run?: boolean }).dry_run ? { matching: 12 } : { redriven: 12 },
  })

  it('counts what a filter names, and stops there with --dry-run', async () => {
    const { status, err, asked } = await belfry(
      ['redrive', '--state', 'parked,unknown', '--rule', '3', '--dry-run'],
      answer,
    )
    expect({ status, err }).toEqual({
      status: 0,
      err: '12 mails would be tried again; --yes instead of --dry-run does it.\n',
    })
    expect(asked.map(({ path, body }) => [path, body])).toEqual([
      ['/api/emails/redrive', { filter: { state: 'parked,unknown', rule: '3' }, dry_run: true }],
    ])
  })

  it('says how many and does nothing without --yes', async () => {
    const { status, err, asked } = await belfry(['redrive', '--order', '42'], answer)
    expect({ status, err }).toEqual({
      status: 2,
      err: 'belfry: 12 mails would be tried again; add --yes if you mean it.\n',
    })
    expect(asked).toHaveLength(1)
  })

  it('counts, then does it with --yes', async () => {
    const { status, err, asked } = await belfry(['redrive', '--all', '--yes'], answer)
    expect({ status, err }).toEqual({ status: 0, err: '12 mails are tried again.\n' })
    expect(asked.map(({ body }) => body)).toEqual([
      { filter: {}, all: true, dry_run: true },
      { filter: {}, all: true },
    ])
  })

  it('says so when there is none', async () => {
    const { status, err, asked } = await belfry(['redrive', '--state', 'sent', '--yes'], () => ({
      body: { matching: 0 },
    }))
    expect({ status, err }).toEqual({ status: 0, err: 'No mail like that can be tried again.\n' })
    expect(asked).toHaveLength(1)
  })
})

describe('mail cancel', () => {
  it('cancels one, or says why it is too late', async () => {
    const done = await belfry(['cancel', '57'], () => ({ body: { cancelled: true } }))
    expect(done.asked).toMatchObject([{ method: 'POST', path: '/api/emails/57/cancel' }])
    expect(done.err).toMatch(/^Mail 57 is cancelled/)
    const late = await belfry(['cancel', '57'], () => ({
      status: 409,
      body: { title: 'In its present state that cannot be done', detail: 'Mail 57 is sent.' },
    }))
    expect(late).toMatchObject({
      status: 1,
      err: '✗ In its present state that cannot be done: Mail 57 is sent.\n',
    })
  })
})

describe('mail rules', () => {
  const rule = {
    id: 1,
    name: 'order-filled',
    table: 'orders',
    ops: ['insert', 'update'],
    when: { status: { became: ['filled', 'shipped'] }, amount: { changed: true } },
    template: 'order-filled',
    category: 'orders',
    recipients: [{ setting: 'ALERT_RECIPIENTS' }, { address: 'desk@example.com' }],
    enabled: true,
    problem: null,
  }

  it('reads them as sentences, and says what is wrong with one', () => {
    const broken = { ...rule, id: 2, when: {}, enabled: false, problem: 'There is no template x.' }
    const [, ...lines] = rulesView([rule, broken], new FakeTerminal().paint).split('\n')
    expect(lines.map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
      '1 | order-filled | orders: insert, update | status became filled or shipped and amount changed | order-filled | setting ALERT_RECIPIENTS, desk@example.com',
      '2 | order-filled | orders: insert, update | always | order-filled | setting ALERT_RECIPIENTS, desk@example.com | off',
      'Rule 2 does nothing: There is no template x.',
      '',
    ])
  })

  it('shows what SQL wrote, whatever its shape', () => {
    for (const odd of [null, 5, 'x', [], [null], {}, { a: null }, { a: { became: null } }]) {
      const view = rulesView(
        [{ ...rule, template: null, when: odd, recipients: odd, problem: 'It cannot be read.' }],
        new FakeTerminal().paint,
      )
      expect(view).toMatch(/order-filled[\s\S]*Rule 1 does nothing: It cannot be read\./)
    }
  })

  it('lists them, or says that there is none', async () => {
    const some = await belfry(['rules', '--json'], () => ({ body: { rules: [rule] } }))
    expect(some.asked).toMatchObject([{ method: 'GET', path: '/api/mail-rules' }])
    expect(JSON.parse(some.out)).toEqual([rule])
    const none = await belfry(['rules'], () => ({ body: { rules: [] } }))
    expect(none).toMatchObject({ status: 0, err: expect.stringContaining('POST /api/mail-rules') })
  })
})

describe('mail suppressions', () => {
  const ada = {
    mailbox: 'ada@example.com',
    reason: 'bounced',
    since: '2026-11-21T08:33:55.123Z',
    detail: 'No such mailbox.',
  }

  it('lists them, page after page', async () => {
    const { out, asked } = await belfry(
      ['suppressions', 'list', '--search', 'ada'],
      ({ query }) => ({
        body: query.cursor
          ? { suppressions: [{ ...ada, mailbox: 'adam@example.com' }], next_cursor: null }
          : { suppressions: [ada], next_cursor: 'next' },
      }),
    )
    expect(asked).toMatchObject([
      { path: '/api/mail-suppressions', query: { search: 'ada' } },
      { path: '/api/mail-suppressions', query: { search: 'ada', cursor: 'next' } },
    ])
    expect(out).toMatch(/^ada@example.com +bounced +2026-11-21 08:33:55 +No such mailbox.$/m)
    expect(out).toMatch(/^adam@example.com /m)
  })

  it('puts one there and takes one away', async () => {
    const added = await belfry(
      ['suppressions', 'add', 'Ada@example.com', '--detail', 'asked'],
      () => ({
        body: { ...ada, reason: 'by_hand' },
      }),
    )
    expect(added.err).toBe('ada@example.com gets no mail from now on.\n')
    expect(added.asked).toMatchObject([
      {
        method: 'PUT',
        path: '/api/mail-suppressions/Ada%40example.com',
        body: { detail: 'asked' },
      },
    ])
    const removed = await belfry(['suppressions', 'remove', 'ada@example.com'], () => ({
      status: 204,
    }))
    expect(removed.err).toContain('mail redrive --state suppressed --recipient ada@example.com')
    expect(removed.asked).toMatchObject([
      { method: 'DELETE', path: '/api/mail-suppressions/ada%40example.com' },
    ])
  })
})

it('is listed once by each of its words', async () => {
  const terminal = new FakeTerminal()
  await run(['help'], terminal)
  expect(terminal.stdout).toContain(
    '\n  mail list | show | redrive | cancel | rules | suppressions\n',
  )
})

describe('bad input', () => {
  it.each([
    [[], /say what to do: list, show, redrive, cancel, rules, suppressions/],
    [['shwo'], /did you mean "show"/],
    [['toString'], /there is no "toString"/],
    [['show'], /the id is missing/],
    [['show', 'x'], /the id takes a whole number/],
    [['cancel'], /the id is missing/],
    [['cancel', '1', '2'], /one word too many/],
    [['list', '--all', '--limit', '3'], /give one of them/],
    [['list', '--stat', 'parked'], /did you mean "--state"/],
    [['redrive'], /say which: an id/],
    [['redrive', '1', '--state', 'parked'], /say which: an id/],
    [['redrive', '--all', '--state', 'parked'], /say which: an id/],
    [['redrive', '1', '--dry-run'], /an id is one mail/],
    [['redrive', '--all', '--dry-run', '--yes'], /give one of them/],
    [['suppressions'], /say what to do: list, add, remove/],
    [['suppressions', 'ad'], /did you mean "add"/],
    [['suppressions', 'add'], /the address is missing/],
    [['suppressions', 'add', ''], /the address is missing/],
  ])('mail %j is a sentence and exit 2, and nothing is asked', async (args, sentence) => {
    const { status, err, asked } = await belfry(args, nothing)
    expect(status).toBe(2)
    expect(err).toMatch(sentence)
    expect(asked).toEqual([])
  })
})
