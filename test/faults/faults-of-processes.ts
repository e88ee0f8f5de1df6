import { setTimeout as delay } from 'node:timers/promises'
import { signalPid } from '../../dev/processes.ts'
import type { Fault, Scene } from './faults.ts'
import type { ListenerLife } from './listener-life.ts'
import { throughDoor } from './workerd.ts'

/** A standby ends a leader whose lease of 15 s is over. */
const PAST_LEASE_MS = 19_000

/** Processes that are killed, frozen, or lose their memory. */
export const processFaults: readonly Fault[] = [
  anyTime('leader killed', async (scene) => {
    const leader = await leaderOf(scene)
    await leader.end()
    return `${leader.name}, ${await backAfter(scene, leader, 2_000)}`
  }),
  anyTime('listeners killed', async (scene) => {
    const { listeners } = scene.system
    await Promise.all(listeners.map((listener) => listener.end()))
    const ms = scene.chance.whole(0, 1_500)
    await delay(ms)
    for (const listener of listeners) listener.start()
    return `both, back after ${ms} ms`
  }),
  anyTime('leader stopped politely', async (scene) => {
    const leader = await leaderOf(scene)
    await leader.end('SIGTERM')
    return `${leader.name}, ${await backAfter(scene, leader, 500)}`
  }),
  anyTime('leader paused', async (scene) => {
    const leader = await leaderOf(scene)
    const ms = scene.chance.whole(500, 4_000)
    await frozen(leader, ms)
    return `${leader.name}, for ${ms} ms`
  }),
  {
    name: 'leader frozen past its lease',
    when: 'late',
    isLong: true,
    async strike(scene) {
      const leader = await leaderOf(scene)
      await frozen(leader, PAST_LEASE_MS)
      const next = await scene.system.leader()
      if (!next || next === leader)
        return `${leader.name}, and nobody had taken over when it thawed`
      return `${leader.name}; ${next.name} leads since`
    },
  },
  anyTime('clock jumps', async (scene) => {
    const listener = scene.chance.pick(scene.system.listeners)
    listener.signal('SIGUSR2')
    return listener.name
  }),
  anyTime('worker killed', async (scene) => {
    await scene.system.worker.end()
    return backAfter(scene, scene.system.worker, 2_500)
  }),
  anyTime('worker and leader killed', async (scene) => {
    const leader = await leaderOf(scene)
    await Promise.all([scene.system.worker.end(), leader.end()])
    scene.system.worker.start()
    return `${leader.name}, ${await backAfter(scene, leader, 1_000)}`
  }),
  anyTime('objects evicted', async ({ system }) => {
    await throughDoor(system.doorPort, 'evict')
    return 'all of them; their sockets hibernate'
  }),
  anyTime('objects aborted', async ({ system }) => {
    await throughDoor(system.doorPort, 'abort')
    return 'all of them, with their sockets'
  }),
  anyTime('Postgres killed', async ({ system }) => {
    const pid = system.postgresPid
    if (pid === null) return 'it was down already'
    signalPid(pid, 'SIGKILL')
    return `process ${pid}; its supervisor starts it again`
  }),
  anyTime('Postgres backend killed', async ({ sql }) => {
    const { rows } = await sql.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'belfry listener'",
    )
    const pid = rows[0]?.pid
    if (pid === undefined) return 'no listener was connected'
    signalPid(pid, 'SIGKILL')
    return `process ${pid}; the server recovers from it as from a crash`
  }),
]

export async function leaderOf({ system, chance }: Scene): Promise<ListenerLife> {
  return (await system.leader()) ?? chance.pick(system.listeners)
}

function anyTime(name: string, strike: (scene: Scene) => Promise<string>): Fault {
  return { name, when: 'any time', strike: strike }
}

async function backAfter(
  { chance }: Scene,
  life: { start(): void },
  atMostMs: number,
): Promise<string> {
  const ms = chance.whole(0, atMostMs)
  await delay(ms)
  life.start()
  return `back after ${ms} ms`
}

async function frozen(listener: ListenerLife, ms: number): Promise<void> {
  listener.signal('SIGSTOP')
  try {
    await delay(ms)
  } finally {
    listener.signal('SIGCONT')
  }
}
