import { describe, expect, it } from 'vitest'
import { findingView } from '../../client/cli/doctor.ts'
import { inboxVerdict } from '../../client/cli/doctor-inbox.ts'
import {
  examineCanary,
  examineFeed,
  examineLink,
  examineMail,
  examineWorker,
} from '../../client/cli/doctor-worker.ts'
import type { Finding } from '../../client/cli/finding.ts'
import { run } from '../../client/cli/run.ts'
import { ago, statusView } from '../../client/cli/status.ts'
import type { StatusReport } from '../../client/cli/status-report.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { serveWorker } from './small-worker.ts'

const { paint } = new FakeTerminal()

const report: StatusReport = {
  epoch: 'k3v',
  head: 57,
  tail: 0,
  listener: {
    present: true,
    name: 'host-1',
    term: 4,
    state: 'asleep',
    since: '2026-11-21T08:00:00.000Z',
  },
  drain: { by: 'listener' },
  lag_ms: 0,
  sockets: 3,
  shards: [{ name: 'weur-0', sockets: 3 }],
  consumers: [{ name: 'mail', offset: 57, behind: 0, parked: 0, error: null }],
  mail: { queued: 0, sent: 3, parked: 0, unknown: 0, waiting_since: null },
  delivering: true,
  why: null,
  canary: {
    beat: 812,
    at: '2026-11-21T08:09:57.000000+00:00',
    age_ms: 2_960,
    to_feed_ms: 12.4,
    to_shards_ms: 3,
    late_shards: [],
  },
}
const drained = { by: 'feed', since: '2026-11-21T08:00:00.000Z', last_at: '' } as const
const NO_LISTENER = 'No listener is connected. Start the listener.'
const absent: StatusReport = {
  ...report,
  listener: { present: false },
  drain: { by: 'nobody', since: '2026-11-21T08:09:00.000Z', error: null },
  lag_ms: null,
  delivering: false,
  why: NO_LISTENER,
  canary: null,
}

describe('status', () => {
  it('is readable', () => {
    const now = Date.parse('2026-11-21T08:10:00.000Z')
    expect(statusView(report, 'http://w', now, paint)).toBe(
      [
        'worker    http://w',
        'changes   arrive; the last canary came 3.0 s ago: 12 ms to the feed, 3 ms on to the shards',
        'feed      at 57, kept from 0, epoch k3v',
        'listener  host-1, term 4, asleep, writers ring, since 10 min',
        'lag       0 ms',
        'sockets   3 on 1 shard',
        'mail      0 queued, 3 sent, none parked',
        '',
        'consumer  offset  behind  parked  error',
        'mail          57       0       0',
        '',
      ].join('\n'),
    )
    const absence = statusView(absent, 'http://w', now, paint)
    expect(absence).toMatch(`\nchanges   do not arrive. ${NO_LISTENER}\n`)
    expect(absence).toMatch('listener  absent\nlag       unknown: no listener says')
  })

  it('says where to look when mails were given up, and whether some may have gone out', () => {
    const mailLine = (mail: Partial<StatusReport['mail']>) =>
      /^mail {6}(.*)$/m.exec(
        statusView({ ...report, mail: { ...report.mail, ...mail } }, 'http://w', 3_600_000, paint),
      )?.[1]
    const where = '`belfry mail list --state parked,unknown`'
    expect(mailLine({ parked: 2 })).toBe(`0 queued, 3 sent, 2 parked: ${where}`)
    expect(mailLine({ parked: 2, unknown: 1 })).toBe(
      `0 queued, 3 sent, 2 parked, 1 of which may have gone out: ${where}`,
    )
    expect(mailLine({ queued: 5, waiting_since: '1970-01-01T00:00:00.000Z' })).toBe(
      '5 queued, the oldest for 60 min, 3 sent, none parked',
    )
  })

  it('P71 is green only when changes arrive, and says what slows them', () => {
    const painter = new FakeTerminal()
    painter.colours = true
    const changes = (altered: Partial<StatusReport>) =>
      /changes {3}<\/>(.*)/.exec(
        statusView({ ...report, ...altered }, 'http://w', 0, painter.paint),
      )?.[1]
    expect(changes({})).toMatch(/^<green>arrive<\/>; the last canary came 3\.0 s ago/)
    expect(changes({ why: 'It polls.' })).toMatch(/^<yellow>arrive<\/>; .*the shards\. It polls\.$/)
    expect(changes({ delivering: false, why: 'No.' })).toBe('<red>do not arrive</>. No.')
    const underWay = { ...report.canary, to_shards_ms: null } as StatusReport['canary']
    expect(changes({ canary: underWay })).toMatch(/12 ms to the feed, not at every shard yet$/)
    expect(changes({ drain: drained, canary: null, why: 'The feed drains.' })).toBe(
      '<yellow>arrive</>. The feed drains.',
    )
  })

  it('says that the feed drains in the listener’s place', () => {
    const now = Date.parse('2026-11-21T08:05:00.000Z')
    const late = { ...absent, drain: drained, delivering: true, why: 'The feed drains.' }
    expect(statusView(late, 'http://w', now, paint)).toMatch(
      '\nlistener  absent; the feed drains in its place since 5 min\n',
    )
    expect(examineCanary(late)).toEqual({
      result: 'warning',
      said: 'changes arrive, but late',
      advice: 'The feed drains.',
    })
  })

  it('nothing that the worker says can play tricks on the terminal', () => {
    const why = 'evil\u001b[2J'
    expect(statusView({ ...report, delivering: false, why }, 'w', 0, paint)).not.toContain('\u001b')
  })

  it('is read from the worker, whole with --json', async () => {
    await using worker = await serveWorker(() => ({ body: { ...report, later: 1 } }))
    const terminal = new FakeTerminal()
    terminal.env = { BELFRY_URL: `${worker.url}/` }
    expect(await run(['status', '--json'], terminal)).toBe(0)
    expect(JSON.parse(terminal.stdout)).toEqual(report)
    expect(worker.asked[0]?.path).toBe('/api/status')
  })

  it.each([
    [-5, '0 s'],
    [42_000, '42 s'],
    [300_000, '5 min'],
    [10_800_000, '3 h'],
    [1_036_800_000, '12 d'],
  ])('%i ms ago is %s', (ms, text) => {
    expect(ago(ms)).toBe(text)
  })
})

describe('the doctor', () => {
  it('finds the link fine, polling or absent', () => {
    expect(examineLink(report)).toEqual({
      result: 'fine',
      said: 'listener host-1, term 4, asleep, writers ring',
    })
    expect(examineLink(absent)).toMatchObject({
      result: 'failed',
      advice: expect.stringMatching('LINK_SECRET'),
    })
    const polling = { ...report.listener, state: 'polling' } as StatusReport['listener']
    expect(examineLink({ ...report, listener: polling }).result).toBe('warning')
  })

  it('P71 finds that changes arrive, only slowly, or not, and says what to do', () => {
    expect(examineCanary(report)).toEqual({
      result: 'fine',
      said: 'the last canary came 3.0 s ago: 12 ms to the feed, 3 ms on to the shards',
    })
    expect(examineCanary({ ...report, why: 'It polls.' })).toMatchObject({
      result: 'warning',
      advice: 'It polls.',
    })
    expect(examineCanary(absent)).toEqual({
      result: 'failed',
      said: 'changes do not arrive',
      advice: NO_LISTENER,
    })
  })

  it('finds a feed that lags, a consumer that fails and one that has parked', () => {
    const [consumer] = report.consumers
    if (!consumer) throw new Error('the report has a consumer')
    expect(examineFeed(report).result).toBe('fine')
    expect(examineFeed({ ...report, lag_ms: 42_000 })).toMatchObject({
      result: 'failed',
      said: expect.stringMatching('42 s'),
    })
    const failing = { ...consumer, name: 'inbox', behind: 3, error: 'boom' }
    expect(examineFeed({ ...report, consumers: [failing] })).toMatchObject({
      result: 'failed',
      said: 'inbox is 3 behind: boom',
    })
    const parked = { ...consumer, name: 'inbox', parked: 2 }
    expect(examineFeed({ ...report, consumers: [parked] })).toMatchObject({
      result: 'warning',
      said: 'inbox has parked 2',
    })
  })

  it('warns of parked mail, counted in both places', () => {
    expect(examineMail(report, null)).toEqual({
      result: 'fine',
      said: '3 sent, 0 queued, 0 parked',
    })
    const consumers = report.consumers.map((consumer) => ({ ...consumer, parked: 1 }))
    const mail = { ...report.mail, parked: 2 }
    expect(examineMail({ ...report, mail, consumers }, 'no key')).toMatchObject({
      result: 'warning',
      said: '3 sent, 0 queued, 3 parked',
    })
    const unsure = { ...mail, unknown: 1 }
    expect(examineMail({ ...report, mail: unsure }, null)).toMatchObject({
      said: '3 sent, 0 queued, 2 parked, 1 of which may have gone out',
      advice: expect.stringContaining('belfry mail redrive'),
    })
  })

  it('warns of mails that wait for a reason', () => {
    const mail = { ...report.mail, queued: 5 }
    expect(examineMail({ ...report, mail }, null).result).toBe('fine')
    expect(examineMail({ ...report, mail }, 'RESEND_API_KEY is not set.')).toEqual({
      result: 'warning',
      said: '3 sent, 5 queued, 0 parked',
      advice: expect.stringContaining('RESEND_API_KEY is not set.'),
    })
  })

  it('asks the mails themselves why they wait', async () => {
    const trouble = 'RESEND_API_KEY is not set, so no mail goes out.'
    await using worker = await serveWorker(({ path }) => ({
      body: {
        '/healthz': { ok: true },
        '/api/orders': { orders: [] },
        '/api/status': { ...report, mail: { ...report.mail, queued: 5 } },
        '/api/emails': { emails: [{ last_error: trouble }] },
      }[path],
    }))
    const terminal = new FakeTerminal()
    terminal.env = { BELFRY_URL: worker.url, BELFRY_ADMIN_TOKEN: 'secret' }
    const found: Finding[] = []
    for await (const finding of examineWorker(terminal)) {
      found.push(finding)
      if (finding.name === 'mail') break
    }
    expect(found.at(-1)).toMatchObject({ advice: expect.stringContaining(trouble) })
    expect(worker.asked.at(-1)).toMatchObject({ query: { state: 'queued,failed', limit: '1' } })
    // But for /healthz, which is open.
    expect(worker.asked.slice(1).map(({ authorization }) => authorization)).toEqual(
      Array(worker.asked.length - 1).fill('Bearer secret'),
    )
  })

  it('P89 says when notifications are late or parked, and where they are listed', () => {
    const [none, one] = [{ notifications: [] }, { notifications: [{ problem: 'Out of range.' }] }]
    expect(inboxVerdict(none, none).result).toBe('fine')
    expect(inboxVerdict(one, one)).toMatchObject({
      result: 'failed',
      advice: expect.stringContaining('--state overdue'),
    })
    expect(inboxVerdict(none, one)).toMatchObject({
      result: 'warning',
      said: expect.stringContaining('Out of range.'),
      advice: expect.stringContaining('redrive --state parked'),
    })
  })

  it('prints each finding with its time, and below it what to do', () => {
    expect(findingView({ name: 'bell', result: 'fine', said: 'heard', ms: 1.23 }, paint)).toBe(
      '✓ bell           heard  1.2 ms\n',
    )
    expect(
      findingView({ name: 'bell', result: 'failed', said: 'no', advice: 'Do.', ms: 12.3 }, paint),
    ).toBe('✗ bell           no  12 ms\n                 → Do.\n')
    expect(findingView({ name: 'bell', result: 'skipped', said: 'not asked' }, paint)).toBe(
      '– bell           not asked\n',
    )
  })

  it('with nothing to examine says what to set, and fails', async () => {
    const terminal = new FakeTerminal()
    expect(await run(['doctor', '--json'], terminal)).toBe(1)
    const findings: { name: string; result: string; said: string }[] = JSON.parse(terminal.stdout)
    expect(findings.filter(({ result }) => result === 'failed')).toMatchObject([
      { name: 'database', said: expect.stringMatching('set DATABASE_URL') },
      { name: 'worker', said: expect.stringMatching('set BELFRY_URL') },
    ])
    expect(findings.map(({ name }) => name)).toEqual([
      'database',
      'direct address',
      'version',
      'migrations',
      'triggers',
      'outbox',
      'bell',
      'worker',
      'api',
      'link',
      'canary',
      'feed',
      'mail',
      'inbox',
      'subscription',
    ])
  })
})
