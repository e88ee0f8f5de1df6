import { computed } from '@preact/signals'
import { request } from './request.ts'
import { clock, connection, probe, second, system } from './store.ts'
import type { Measured, SystemReading, SystemStatus } from './system-status.ts'

const EVERY_MS = 5_000
/** Sooner while something is missing, so that its return shows. */
const EVERY_MS_IN_TROUBLE = 1_500

/** Reads the status now and then, as long as somebody looks at the page. */
export function watchSystem(): void {
  let timer = 0
  const read = async () => {
    clearTimeout(timer)
    clock.value = Date.now()
    if (!document.hidden) system.value = await readSystem()
    clearTimeout(timer)
    timer = setTimeout(read, isWhole(system.value) ? EVERY_MS : EVERY_MS_IN_TROUBLE)
  }
  setInterval(() => {
    if (!document.hidden) second.value = Date.now()
  }, 1_000)
  document.addEventListener('visibilitychange', read)
  // Also at once when the connection comes or goes, and now.
  const isLive = computed(() => connection.value.state === 'live')
  isLive.subscribe(() => void read())
}

async function readSystem(): Promise<SystemReading> {
  const outcome = await request<SystemStatus>('GET', '/api/status')
  return outcome.ok
    ? { state: 'read', status: outcome.value, atMs: Date.now() }
    : { state: 'failed', message: `${outcome.refusal.title}. ${outcome.refusal.detail}` }
}

function isWhole(reading: SystemReading): boolean {
  return reading.state === 'read' && reading.status.delivering
}

/** There and back on both ways: the open socket, and an HTTP request. */
export async function testConnection(ping: () => Promise<number>): Promise<void> {
  if (probe.value.state === 'running') return
  probe.value = { state: 'running' }
  const [socket, http] = await Promise.all([measure(ping), measure(healthz)])
  probe.value = { state: 'done', socket, http }
}

async function healthz(): Promise<number> {
  const began = performance.now()
  const outcome = await request('GET', '/healthz')
  if (!outcome.ok) throw new Error(outcome.refusal.title)
  return performance.now() - began
}

async function measure(run: () => Promise<number>): Promise<Measured> {
  try {
    return { ok: true, ms: await run() }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}
