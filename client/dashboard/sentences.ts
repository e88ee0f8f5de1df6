import type { Change } from '../../protocol/change.ts'
import type { ConnectionState, Freshness } from '../sdk/belfry.ts'
import { formatCount, formatMs } from './format.ts'
import type { Measured, Probe, SystemReading, SystemStatus } from './system-status.ts'

export type Tone = 'good' | 'wait' | 'bad' | 'idle'
export type Word = { word: string; tone: Tone }

/** The connection and the rows in one word. */
export function connectionWord(connection: ConnectionState, freshness: Freshness): Word {
  switch (connection.state) {
    case 'connecting':
      return { word: connection.attempt > 1 ? 'Reconnecting' : 'Connecting', tone: 'wait' }
    case 'waiting':
      return { word: 'Disconnected', tone: 'bad' }
    case 'closed':
      return { word: 'Closed', tone: 'bad' }
    case 'live':
      return freshnessWord(freshness)
  }
}

function freshnessWord(freshness: Freshness): Word {
  switch (freshness.state) {
    case 'current':
      return { word: 'Live', tone: 'good' }
    case 'loading':
      return { word: 'Reading orders', tone: 'wait' }
    case 'reloading':
      return { word: 'Reading again', tone: 'wait' }
    case 'failing':
      return { word: 'Out of date', tone: 'bad' }
  }
}

/** As `connectionWord`, and green only as long as changes were seen to arrive. */
export function deliveryWord(
  connection: ConnectionState,
  freshness: Freshness,
  system: SystemReading,
): Word {
  const here = connectionWord(connection, freshness)
  if (here.tone !== 'good') return here
  if (system.state === 'unknown') return { ...here, tone: 'idle' }
  if (system.state === 'failed') return { ...here, tone: 'wait' }
  const { delivering, why } = system.status
  if (!delivering) return { word: 'Not delivering', tone: 'bad' }
  return why === null ? here : { ...here, tone: 'wait' }
}

/** How long the last canary took and when it came: "12 ms", "3 s ago"; null unless it arrives. */
export function canaryTimes(
  system: SystemReading,
  nowMs: number,
): { took: string; came: string } | null {
  if (system.state !== 'read' || !system.status.delivering) return null
  const { canary, drain } = system.status
  // Who writes it is the listener.
  if (canary === null || drain.by !== 'listener') return null
  const ageS = Math.floor((canary.age_ms + Math.max(0, nowMs - system.atMs)) / 1_000)
  const tookMs = canary.to_feed_ms + (canary.to_shards_ms ?? 0)
  return { took: formatMs(tookMs), came: ageS === 0 ? 'just now' : `${ageS} s ago` }
}

/** Nothing on the way is green while changes do not arrive. */
function proven(word: Word, { delivering }: SystemStatus): Word {
  return delivering || word.tone !== 'good' ? word : { ...word, tone: 'idle' }
}

const listenerTones = { asleep: 'good', dozing: 'good', awake: 'good', polling: 'wait' } as const

export function listenerWord(system: SystemReading): Word {
  if (system.state !== 'read') return { word: 'Unknown', tone: 'idle' }
  const { listener, drain } = system.status
  if (!listener.present) return { word: 'Absent', tone: drain.by === 'feed' ? 'wait' : 'bad' }
  const word = listener.state[0]?.toUpperCase() + listener.state.slice(1)
  return proven({ word, tone: listenerTones[listener.state] }, system.status)
}

const SLOW_LAG_MS = 5_000

export function lagWord(system: SystemReading): Word {
  if (system.state !== 'read') return { word: 'Unknown', tone: 'idle' }
  const { lag_ms, drain } = system.status
  // Only the listener knows what still lies in the outbox.
  if (lag_ms === null) return { word: 'Unknown', tone: drain.by === 'feed' ? 'wait' : 'bad' }
  const word = lag_ms === 0 ? '0 ms' : formatMs(lag_ms)
  return proven({ word, tone: lag_ms < SLOW_LAG_MS ? 'good' : 'wait' }, system.status)
}

/** Where the feed stands; it is what is wrong if a listener is there and changes do not arrive. */
export function feedWord(system: SystemReading, head: number): Word {
  if (system.state !== 'read') return { word: '–', tone: 'idle' }
  const { delivering, listener } = system.status
  return { word: formatCount(head), tone: delivering ? 'good' : listener.present ? 'bad' : 'idle' }
}

/** "Socket 3 ms · HTTP 12 ms" */
export function probeSentence(probe: Probe): string {
  if (probe.state === 'never') return ''
  if (probe.state === 'running') return 'Testing…'
  const part = (name: string, measured: Measured) =>
    measured.ok ? `${name} ${formatMs(measured.ms)}` : `${name} failed: ${measured.message}`
  return `${part('Socket', probe.socket)} · ${part('HTTP', probe.http)}`
}

/** What a change is about: "#17 Ada Lovelace". */
export function subject({ table, key, new: row, old }: Change): { id: string; name: string } {
  const id = key === null ? '' : Object.values(key).map(String).join(', ')
  const name = (row ?? old)?.customer_name
  if (typeof name === 'string') return { id: `#${id}`, name }
  return { id: id === '' ? '' : `#${id}`, name: table }
}

export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** A clause with a capital and a full stop, if it does not have one. */
export function sentence(clause: string): string {
  return `${clause[0]?.toUpperCase() ?? ''}${clause.slice(1)}${/[.!?…]$/.test(clause) ? '' : '.'}`
}
