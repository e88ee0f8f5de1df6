import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, keepAlive, type Launch, type Voice } from './child.ts'
import { projectFolder } from './folders.ts'
import { localhost } from './ports.ts'
import { workerVariables } from './worker-variables.ts'

/**
 * The worker in `wrangler dev`.
 *
 * wrangler restarts a workerd that was killed. But after it has lost the workerd in front, which
 * holds the port, it accepts requests and never answers them: so the worker is asked for its
 * health now and then, and one that stays silent is started again as a whole.
 */
export type WorkerPlan = {
  port: number
  inspectorPort: number
  /** Its storage. Each database has its own, so that two databases' feeds never mix. */
  storageFolder: string
  envFile: string
  /** The dashboard. */
  assetsFolder: string
  stateFolder: string
}

const probeEveryMs = 2_000
const probeTimeoutMs = 2_000
/**
 * After a crash, and without one: a machine that is busy with tests may be slow to answer, and
 * workerd answers nobody while it makes the files of a thousand new inboxes, which takes a slow
 * disk half a minute.
 */
const silentAfterCrashMs = 4_000
const silentMs = 60_000

export function superviseWorker(plan: WorkerPlan, voice: Voice): Child {
  const url = `http://${localhost}:${plan.port}`
  let hasCrashed = false
  return keepAlive({
    ...voice,
    name: 'worker',
    launch: () => {
      hasCrashed = false
      return launch(plan)
    },
    becomeReady: (alive) => untilHealthy(url, alive),
    readyWithinMs: 90_000,
    watch: (alive) => untilSilent(url, () => hasCrashed, alive),
    stopSignal: 'SIGTERM',
    stopWithinMs: 8_000,
    log: (line) => {
      hasCrashed ||= line.includes('runtime crashed')
      if (isWorthTelling(line)) voice.log(line)
    },
  })
}

function launch(plan: WorkerPlan): Launch {
  return {
    command: process.execPath,
    args: [
      `${projectFolder}/node_modules/wrangler/bin/wrangler.js`,
      'dev',
      ...['--config', `${projectFolder}/wrangler.toml`],
      ...['--ip', localhost, '--port', String(plan.port)],
      ...['--inspector-ip', localhost, '--inspector-port', String(plan.inspectorPort)],
      ...['--persist-to', plan.storageFolder],
      ...['--env-file', plan.envFile],
      ...['--assets', plan.assetsFolder],
      '--show-interactive-dev-session=false',
    ],
    cwd: projectFolder,
    env: {
      ...withoutWorkerVariables(process.env),
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_WRITE_LOGS: 'false',
      WRANGLER_REGISTRY_PATH: `${plan.stateFolder}/wrangler-registry`,
    },
  }
}

/** wrangler prefers a variable of its own environment to the same one in the env file. */
function withoutWorkerVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !workerVariables.has(name)))
}

async function untilHealthy(url: string, alive: AbortSignal): Promise<void> {
  while (!alive.aborted && !(await isHealthy(url))) await sleep(100)
}

/** Resolves with what is wrong once it has been silent for too long. */
async function untilSilent(
  url: string,
  hasCrashed: () => boolean,
  alive: AbortSignal,
): Promise<string> {
  let answeredAt = Date.now()
  while (true) {
    await sleep(probeEveryMs, undefined, { signal: alive })
    if (await isHealthy(url)) answeredAt = Date.now()
    const silence = Date.now() - answeredAt
    if (silence > (hasCrashed() ? silentAfterCrashMs : silentMs))
      return `has not answered for ${Math.round(silence / 1000)} s`
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(probeTimeoutMs) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/**
 * Left out of the log: wrangler's line for a request that went well, and its table of bindings,
 * which is printed with every start.
 */
function isWorthTelling(line: string): boolean {
  return ![
    /^\s*$/,
    /^\[wrangler:info\] (GET|HEAD) \S+ (101|[23]\d\d)\b/,
    /^\[wrangler:info\] POST \/webhooks\/resend 2\d\d\b/,
    /^(Using secrets defined|Your Worker has access|Binding |env\.)/,
  ].some((noise) => noise.test(line))
}
