import { describe, expect, it } from 'vitest'
import { findingView } from '../../client/cli/doctor.ts'
import { examineFeed, examineLink, examineMail } from '../../client/cli/doctor-worker.ts'
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
  lag_ms: 0,
  sockets: 3,
  shards: [{ name: 'weur-0', sockets: 3 }],
  consumers: [{ name: 'mail', offset: 57, behind: 0, parked: 0, error: null }],
  mail: { queued: 0, sent: 3, parked: 0 },
}
const absent: StatusReport = { ...report, listener: { present: false }, lag_ms: null }

describe('status', () => {
  it('is readable', () => {
    const now = Date.parse('2026-11-21T08:10:00.000Z')
    expect(statusView(report, 'http://w', now, paint)).toBe(
      [
        'worker    http://w',
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
    expect(statusView(absent, 'http://w', now, paint)).toMatch(
      'listener  absent\nlag       unknown: no listener says',
    )
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
    expect(examineMail(report)).toEqual({ result: 'fine', said: '3 sent, 0 queued, 0 parked' })
    const consumers = report.consumers.map((consumer) => ({ ...consumer, parked: 1 }))
    const mail = { queued: 0, sent: 3, parked: 2 }
    expect(examineMail({ ...report, mail, consumers })).toMatchObject({
      result: 'warning',
      said: '3 sent, 0 queued, 3 parked',
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
      'feed',
      'mail',
      'subscription',
    ])
  })
})
