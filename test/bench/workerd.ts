import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { unstable_readConfig } from 'wrangler'
import { OPEN_DOORS } from '../support/open-doors.ts'
import type { Launch } from './stage.ts'

/**
 * The worker on plain workerd: no proxy of `wrangler dev` in front. Names, bindings and flags are
 * wrangler.toml's; the objects' SQLite is on disk, as miniflare has it.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const { default: workerd }: { default: string } = createRequire(import.meta.url)('workerd')
const config: WorkerConfig = unstable_readConfig(
  { config: `${root}/wrangler.toml` },
  { hideWarnings: true },
)

type WorkerConfig = {
  main?: string | undefined
  compatibility_date?: string | undefined
  compatibility_flags: string[]
  durable_objects: { bindings: { name: string; class_name: string }[] }
  vars: { [name: string]: unknown }
}

/**
 * @param entry what to bundle in place of the worker
 * @returns the bundle's file
 */
export async function bundleWorker(
  folder: string,
  entry: string = resolve(root, config.main as string),
): Promise<string> {
  const outfile = `${folder}/${basename(entry).replace(/\.\w+$/, '')}.bundle.js`
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    // What wrangler's nodejs_compat does for packages that name Node's modules without `node:`.
    alias: Object.fromEntries(NODE_MODULES.map((name) => [name, `node:${name}`])),
    keepNames: true,
    logLevel: 'error',
  })
  return outfile
}

const NODE_MODULES = [
  'buffer',
  'crypto',
  'events',
  'fs',
  'net',
  'path',
  'stream',
  'string_decoder',
].concat(['tls', 'url', 'util', 'dns', 'http', 'https', 'os', 'process', 'async_hooks'])

export type Secrets = { DATABASE_URL: string; LINK_SECRET: string; ADMIN_TOKEN: string }

/**
 * A new worker without any storage. @returns how to launch it, again and again
 * @param vars in place of wrangler.toml's
 */
export function workerdLaunch(
  bundle: string,
  port: number,
  secrets: Secrets,
  { vars = {}, inspector }: { vars?: { [name: string]: string }; inspector?: number } = {},
): Launch {
  const folder = mkdtempSync(`${dirname(bundle)}/worker-`)
  const storage = `${folder}/storage`
  mkdirSync(storage)
  const { bindings } = config.durable_objects
  const texts = { ...config.vars, ...OPEN_DOORS, ...vars, ...secrets } as {
    [name: string]: unknown
  }
  const file = `${folder}/config.capnp`
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "storage", disk = (path = ${text(storage)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(`../${basename(bundle)}`)})],
  compatibilityDate = ${text(config.compatibility_date as string)},
  compatibilityFlags = [${config.compatibility_flags.map(text).join(', ')}],
  durableObjectNamespaces = [${bindings.map(
    ({ class_name: name }) =>
      `(className = ${text(name)}, uniqueKey = ${text(`belfry-${name}`)}, enableSql = true)`,
  )}],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [${[
    ...bindings.map(
      ({ name, class_name }) =>
        `(name = ${text(name)}, durableObjectNamespace = ${text(class_name)})`,
    ),
    ...Object.entries(texts).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(String(value))})`,
    ),
  ].join(', ')}],
);
`,
  )
  const looks = inspector === undefined ? [] : [`--inspector-addr=127.0.0.1:${inspector}`]
  return { command: workerd, args: ['serve', ...looks, file], cwd: folder, env: {} }
}

function text(value: string): string {
  return JSON.stringify(value)
}
