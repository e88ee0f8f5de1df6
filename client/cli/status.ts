import { workerAddress } from './address.ts'
import { readArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { canaryText, listenerMeanings, readStatus, type StatusReport } from './status-report.ts'
import { tableView } from './table-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

export const status: Command = {
  name: 'status',
  summary: 'How the feed, the listener, the sockets and the mail are doing.',
  forms: ['[--json]'],

  async run(args, terminal) {
    const { flags } = readArguments(args, { json: 'switch' })
    const url = workerAddress(terminal)
    const report = await readStatus(terminal)
    terminal.out(
      flags.json
        ? `${JSON.stringify(report, null, 2)}\n`
        : statusView(report, url, Date.now(), terminal.paint),
    )
    return 0
  },
}

/** @param now milliseconds since 1970 */
export function statusView(
  report: StatusReport,
  url: string,
  now: number,
  paint: Terminal['paint'],
): string {
  const { epoch, head, tail, lag_ms: lag, sockets, shards, consumers, mail } = report
  const lines = [
    ['worker', url],
    ['changes', deliveringText(report, paint)],
    ['feed', `at ${head}, kept from ${tail}, epoch ${epoch}`],
    ['listener', listenerText(report, now, paint)],
    ['lag', lag === null ? 'unknown: no listener says' : `${Math.round(lag)} ms`],
    ['sockets', `${sockets} on ${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}`],
    ['mail', `${queuedText(mail, now)}, ${mail.sent} sent, ${parkedText(mail, paint)}`],
  ]
  const text = lines
    .map(([name = '', said]) => `${paint('dim', name.padEnd(10))}${said}\n`)
    .join('')
  const table = tableView(
    [
      { title: 'consumer' },
      { title: 'offset', side: 'right' },
      { title: 'behind', side: 'right' },
      { title: 'parked', side: 'right' },
      { title: 'error' },
    ],
    consumers.map(({ name, offset, behind, parked, error }) => [
      name,
      String(offset),
      String(behind),
      String(parked),
      error ?? '',
    ]),
    paint,
  )
  return `${text}\n${table}`
}

function deliveringText(report: StatusReport, paint: Terminal['paint']): string {
  const { delivering, why } = report
  if (!delivering) return `${paint('red', 'do not arrive')}. ${printable(why ?? '')}`
  const arrive = paint(why === null ? 'green' : 'yellow', 'arrive')
  // Who writes the canary is the listener.
  const seen = report.drain.by === 'listener' ? `; ${canaryText(report)}` : ''
  return why === null ? `${arrive}${seen}` : `${arrive}${seen}. ${printable(why)}`
}

function listenerText(
  { listener, drain }: StatusReport,
  now: number,
  paint: Terminal['paint'],
): string {
  if (!listener.present) {
    const absent = paint('red', 'absent')
    if (drain.by !== 'feed') return absent
    return `${absent}; the feed drains in its place since ${ago(now - Date.parse(drain.since))}`
  }
  const { name, term, state, since } = listener
  return `${printable(name)}, term ${term}, ${listenerMeanings[state]}, since ${ago(now - Date.parse(since))}`
}

function queuedText({ queued, waiting_since: since }: StatusReport['mail'], now: number): string {
  return since === null
    ? `${queued} queued`
    : `${queued} queued, the oldest for ${ago(now - Date.parse(since))}`
}

function parkedText({ parked, unknown }: StatusReport['mail'], paint: Terminal['paint']): string {
  if (parked === 0) return 'none parked'
  const doubt = unknown === 0 ? '' : `, ${unknown} of which may have gone out`
  return `${paint('red', `${parked} parked${doubt}`)}: \`belfry mail list --state parked,unknown\``
}

/** `42 s`, `5 min`, `3 h`, `12 d`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  return seconds < 200_000
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`
}
