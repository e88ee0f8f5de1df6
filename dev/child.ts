import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from './failure.ts'
import { signalGroup, signalPid } from './processes.ts'
import { restartDelayMs } from './restart.ts'

const longestFarewellMs = 5_000
const patienceMs = 10_000

/**
 * A process that is kept alive.
 *
 * - Each life leads a process group of its own, so that Ctrl-C in the terminal reaches only us
 *   and we choose the order in which things stop.
 * - At most one life at a time: the next begins only when the whole group of the last is gone.
 * - The first life must become ready; if it ends before, `ready` rejects and there is no second.
 *   Any later death is said and followed by a new life, after a pause that grows while lives
 *   are short.
 * - A stop signals the leader alone, which knows how to end its own children; what is left of
 *   the group afterwards is killed.
 */
export type Plan = Voice & {
  name: string
  /** Asked anew for each life. */
  launch: () => Launch | Promise<Launch>
  /** Resolves once the process is of use; `alive` aborts when it has ended. */
  becomeReady: (alive: AbortSignal) => Promise<void>
  readyWithinMs: number
  /** Looks on while it is ready; resolves with the reason why this life must end. */
  watch?: (alive: AbortSignal) => Promise<string>
  stopSignal: NodeJS.Signals
  stopWithinMs: number
  killSignal?: NodeJS.Signals
}

export type Voice = {
  /** What a life prints. While it starts, lines are held back: printed if it fails, or is slow. */
  log: (line: string) => void
  /** What the supervisor has to say about it. */
  say: (text: string) => void
  onPid: (pid: number | null) => void
}

export type Launch = {
  command: string
  args: string[]
  cwd: string
  env: NodeJS.ProcessEnv
  uid?: number
  gid?: number
}

export type Child = {
  /** Resolves when the first life is ready, rejects with a Failure if it ends before that. */
  ready: Promise<void>
  stop: () => Promise<void>
  /** Ends it at once, without waiting. */
  kill: () => void
}

type End = { how: string; wasReady: boolean; cause?: unknown }

export function keepAlive(plan: Plan): Child {
  const stopping = new AbortController()
  const firstReady = Promise.withResolvers<void>()
  let current: ChildProcess | null = null
  const finished = liveOnAndOn()

  return { ready: firstReady.promise, stop, kill }

  async function liveOnAndOn(): Promise<void> {
    let livesBefore = 0
    let shortLives = 0
    while (!stopping.signal.aborted) {
      const began = Date.now()
      const end = await liveOnce(livesBefore > 0)
      if (stopping.signal.aborted) return
      if (!end.wasReady && livesBefore === 0) {
        firstReady.reject(
          end.cause ?? new Failure(`${plan.name} ${end.how}; its lines above say why.`),
        )
        return
      }
      livesBefore += 1
      const delay = restartDelayMs(Date.now() - began, shortLives)
      shortLives = delay.shortLives
      plan.say(`${end.how}; starting it again in ${(delay.ms / 1000).toFixed(1)} s`)
      await sleep(delay.ms, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  async function liveOnce(isAgain: boolean): Promise<End> {
    try {
      const launch = await plan.launch()
      if (stopping.signal.aborted) return { how: 'was not started', wasReady: false }
      return await live(launch, isAgain)
    } catch (cause) {
      const how = `could not be started (${cause instanceof Error ? cause.message : cause})`
      return { how, cause, wasReady: false }
    }
  }

  async function live({ command, args, ...options }: Launch, isAgain: boolean): Promise<End> {
    const began = Date.now()
    const ended = new AbortController()
    let forcedReason: string | null = null
    let wasReady = false
    let heldBack: string[] | null = []

    const life = spawn(command, args, {
      ...options,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    current = life
    for (const stream of [life.stdout, life.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (heldBack) heldBack.push(line)
        else if (!stopping.signal.aborted) plan.log(line)
      })
    if (life.pid !== undefined) plan.onPid(life.pid)

    void tend()
    const patience = setTimeout(showHeldBack, patienceMs)
    const how = await endOf(life)
    clearTimeout(patience)
    ended.abort()
    current = null
    plan.onPid(null)
    showHeldBack()
    return { how: forcedReason ?? how, wasReady }

    async function tend(): Promise<void> {
      const alive = ended.signal
      try {
        await Promise.race([plan.becomeReady(alive), deadline(plan.readyWithinMs, alive)])
        if (alive.aborted) return
        wasReady = true
        heldBack = null
        if (isAgain) plan.say(`ready again after ${((Date.now() - began) / 1000).toFixed(1)} s`)
        firstReady.resolve()
        if (plan.watch) endBecause(await plan.watch(alive))
      } catch (error) {
        endBecause(error instanceof Error ? error.message : String(error))
      }
    }

    function showHeldBack(): void {
      if (!stopping.signal.aborted) for (const line of heldBack ?? []) plan.log(line)
      heldBack = null
    }

    function endBecause(reason: string): void {
      if (ended.signal.aborted || stopping.signal.aborted) return
      forcedReason = reason
      if (life.pid !== undefined) signalGroup(life.pid, 'SIGKILL')
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    firstReady.promise.catch(() => {})
    firstReady.reject(new Failure(`${plan.name} was stopped.`))
    if (current?.pid !== undefined) {
      signalPid(current.pid, plan.stopSignal)
      const inTime = await Promise.race([
        finished.then(() => true),
        sleep(plan.stopWithinMs, false, { ref: false }),
      ])
      if (!inTime) kill()
    }
    await finished
  }

  function kill(): void {
    stopping.abort()
    if (current?.pid === undefined) return
    if (plan.killSignal) signalPid(current.pid, plan.killSignal)
    else signalGroup(current.pid, 'SIGKILL')
  }
}

/**
 * Resolves once the process has ended and nothing of it is left: its pipes are held open by its
 * group and, for Postgres, by backends in sessions of their own, which end by themselves.
 */
async function endOf(life: ChildProcess): Promise<string> {
  const closed = new Promise<void>((resolve) => life.once('close', () => resolve()))
  const how = await new Promise<string>((resolve) => {
    life.once('error', (error) => resolve(`could not be started (${error.message})`))
    life.once('exit', (code, signal) =>
      resolve(signal ? `was killed by ${signal}` : `exited with code ${code}`),
    )
  })
  if (life.pid !== undefined) {
    signalGroup(life.pid, 'SIGKILL')
    await Promise.race([closed, sleep(longestFarewellMs, undefined, { ref: false })])
  }
  return how
}

async function deadline(ms: number, alive: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal: alive, ref: false })
  throw new Error(`was not ready within ${ms / 1000} s`)
}
