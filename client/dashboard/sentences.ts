import type { Change } from '../../protocol/change.ts'
import type { ConnectionState } from '../sdk/connect.ts'
import type { Freshness } from '../sdk/live.ts'
import { formatCount, formatMs } from './format.ts'
import type { Measured, Probe, SystemReading } from './system-status.ts'

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

const listenerTones = { asleep: 'good', dozing: 'good', awake: 'good', polling: 'wait' } as const

export function listenerWord(system: SystemReading): Word {
  if (system.state !== 'read') return { word: 'Unknown', tone: 'idle' }
  const { listener } = system.status
  if (!listener.present) return { word: 'Absent', tone: 'bad' }
  const word = listener.state[0]?.toUpperCase() + listener.state.slice(1)
  return { word, tone: listenerTones[listener.state] }
}

const SLOW_LAG_MS = 5_000

export function lagWord(system: SystemReading): Word {
  if (system.state !== 'read') return { word: 'Unknown', tone: 'idle' }
  const { lag_ms, listener } = system.status
  // Only the listener knows what still lies in the outbox.
  if (!listener.present) return { word: 'Unknown', tone: 'bad' }
  const word = lag_ms === 0 ? '0 ms' : formatMs(lag_ms)
  return { word, tone: lag_ms < SLOW_LAG_MS ? 'good' : 'wait' }
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
