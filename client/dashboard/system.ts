import { request } from './api.ts'
import { clock, probe, system } from './store.ts'
import type { Measured, SystemStatus } from './system-status.ts'

const EVERY_MS = 5_000

/** Reads the status now and then, as long as somebody looks at the page. */
export function watchSystem(): void {
  const read = async () => {
    clock.value = Date.now()
    if (document.hidden) return
    const outcome = await request<SystemStatus>('GET', '/api/status')
    system.value = outcome.ok
      ? { state: 'read', status: outcome.value }
      : { state: 'failed', message: `${outcome.refusal.title}. ${outcome.refusal.detail}` }
  }
  const repeat = async () => {
    await read()
    setTimeout(repeat, EVERY_MS)
  }
  void repeat()
  document.addEventListener('visibilitychange', () => void read())
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
