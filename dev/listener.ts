import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, keepAlive, type Launch, type Voice } from './child.ts'
import { projectFolder } from './folders.ts'
import { localhost } from './ports.ts'

export type ListenerPlan = {
  databaseUrl: string
  feedUrl: string
  linkSecret: string
  /** Of its health server. */
  port: number
}

export function superviseListener(plan: ListenerPlan, voice: Voice): Child {
  return keepAlive({
    ...voice,
    name: 'listener',
    launch: () => launch(plan),
    becomeReady: (alive) => untilHealthy(`http://${localhost}:${plan.port}`, alive),
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    // It may finish a batch in flight, for which it takes up to eight seconds.
    stopWithinMs: 12_000,
  })
}

function launch(plan: ListenerPlan): Launch {
  return {
    command: process.execPath,
    args: [`${projectFolder}/listener/main.ts`],
    cwd: projectFolder,
    env: {
      ...process.env,
      DATABASE_URL: plan.databaseUrl,
      FEED_URL: plan.feedUrl,
      LINK_SECRET: plan.linkSecret,
      PORT: String(plan.port),
    },
  }
}

/** @returns what it says of itself: `leader`, with its term, or `standby` */
export async function listenerRole(url: string): Promise<string> {
  const response = await fetch(`${url}/healthz`)
  const { role, term } = (await response.json()) as { role: string; term?: number }
  return term === undefined ? role : `${role}, term ${term}`
}

async function untilHealthy(url: string, alive: AbortSignal): Promise<void> {
  while (!alive.aborted) {
    const response = await fetch(`${url}/healthz`, { signal: alive }).catch(() => null)
    await response?.body?.cancel()
    if (response?.ok) return
    await sleep(100)
  }
}
