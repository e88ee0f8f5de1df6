import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Life } from './life.ts'

/**
 * The worker in a plain workerd, with its objects' storage on disk: so that `kill -9` takes the
 * runtime itself and the next life finds what the last one had stored. (`wrangler dev` would put
 * processes of its own between us and it.) Beside it in the same workerd stands a door that only
 * tests have: through it every Durable Object is evicted, its sockets hibernating, or aborted.
 */
export type WorkerdPlan = {
  folder: string
  port: number
  doorPort: number
  /** Texts that the worker finds in its environment. */
  vars: Record<string, string>
}

export async function prepareWorkerd(
  plan: WorkerdPlan,
  onOwnEnd: (how: string) => void,
): Promise<Life> {
  mkdirSync(`${plan.folder}/objects`)
  await build({
    entryPoints: [fileURLToPath(new URL('../../worker/index.ts', import.meta.url))],
    outfile: `${plan.folder}/worker.js`,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'warning',
  })
  writeFileSync(`${plan.folder}/door.js`, DOOR)
  writeFileSync(`${plan.folder}/config.capnp`, config(plan))
  const command: string = createRequire(import.meta.url)('workerd').default
  const args = ['serve', '--experimental', `${plan.folder}/config.capnp`]
  const launch = () => ({ command, args, env: process.env })
  return new Life('worker', plan.folder, launch, onOwnEnd)
}

/** There may be a thousand objects, each of which is let finish what it is at. */
const DOOR_MS = 20_000

/** @param how `evict` keeps the sockets, hibernating; `abort` breaks them */
export async function throughDoor(doorPort: number, how: 'evict' | 'abort'): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${doorPort}/${how}`, {
    signal: AbortSignal.timeout(DOOR_MS),
  })
  if (!response.ok) throw new Error(`${how}: ${response.status} ${await response.text()}`)
}

const DOOR = `
import unsafe from 'workerd:unsafe'
export default {
  async fetch({ url }) {
    if (new URL(url).pathname === '/evict') await unsafe.evictAllDurableObjects({ webSockets: 'hibernate' })
    else await unsafe.abortAllDurableObjects()
    return new Response('done')
  },
}
`

const NOTHING = "addEventListener('fetch', (e) => e.respondWith(new Response('', { status: 404 })))"

function config({ folder, port, doorPort, vars }: WorkerdPlan): string {
  const texts = Object.entries(vars).map(
    ([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "belfry", worker = .belfry),
    (name = "door", worker = .door),
    (name = "assets", worker = .assets),
    (name = "disk", disk = (path = "${folder}/objects", writable = true)),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "belfry"),
    (name = "door", address = "127.0.0.1:${doorPort}", http = (), service = "door"),
  ],
);
const belfry :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [
    ${OBJECTS.map(({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`).join(',\n    ')},
    (name = "ASSETS", service = "assets"),
    ${texts.join(',\n    ')},
  ],
  durableObjectNamespaces = [
    ${OBJECTS.map(({ className }) => `(className = "${className}", uniqueKey = "${className}", enableSql = true)`).join(',\n    ')},
  ],
  durableObjectStorage = (localDisk = "disk"),
);
const assets :Workerd.Worker = (
  serviceWorkerScript = "${NOTHING}",
  compatibilityDate = "${COMPATIBILITY_DATE}",
);
const door :Workerd.Worker = (
  modules = [(name = "door.js", esModule = embed "door.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["unsafe_module"],
);
`
}

/** As the worker is deployed. */
const WRANGLER = readFileSync(
  fileURLToPath(new URL('../../wrangler.toml', import.meta.url)),
  'utf8',
)

const OBJECTS = [...WRANGLER.matchAll(/^name = "(\w+)"\nclass_name = "(\w+)"$/gm)].map(
  ([, binding, className]) => ({ binding, className }),
)

/** nodejs_compat is on by default since 2026-08-04. */
const COMPATIBILITY_DATE = /^compatibility_date = "(.+)"$/m.exec(WRANGLER)?.[1] ?? ''
