import { writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { got } from './answer.ts'
import { ALL, type Attack, inParallel, probe, tally } from './attack.ts'
import { PROBLEM_CODES, problemsPublished } from './problems-published.ts'
import type { World } from './world.ts'

/** Whether what there is, is what is told of. */
const UNPUBLISHED: Readonly<Record<string, string>> = {
  'GET /link': 'for the listener alone: PROTOCOL.md',
  'GET /openapi.json': 'the document itself',
}

type Route = { method: string; path: string }

export const inventory: readonly Attack[] = [
  {
    id: 'inventory.routes',
    owasp: 'API9',
    what: 'The routes of the worker’s router that are not published',
    expected: `only ${Object.keys(UNPUBLISHED).sort().join(', ')}`,
    how: async (world) => {
      const published = new Set(world.operations.map(({ name }) => name))
      const hidden = new Set(
        (await routesOf(world))
          .filter(({ method }) => method !== 'ALL')
          .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`)
          .filter((name) => !published.has(name)),
      )
      return `only ${[...hidden].sort().join(', ')}`
    },
  },
  {
    id: 'inventory.methods',
    owasp: 'API9',
    what: 'Every other method at every published path',
    expected: ALL,
    how: otherMethods,
  },
  {
    id: 'inventory.problems',
    owasp: 'API9',
    what: 'The codes of problems, in the document and in the protocol',
    expected: 'the same',
    how: async ({ document }) => {
      const published = problemsPublished(document)
      const missing = PROBLEM_CODES.filter((code) => !published.has(code))
      return missing.length === 0 ? 'the same' : `not in /openapi.json: ${missing.join(', ')}`
    },
  },
  {
    id: 'inventory.refusals',
    owasp: 'API9',
    what: 'Every route that needs a credential publishes that it refuses, and limits',
    expected: ALL,
    how: async ({ operations }) =>
      tally(
        operations
          .filter(({ path }) => path.startsWith('/api/') && !path.includes('unsubscribe'))
          .flatMap(({ name, responses }) =>
            ['401', '403', '429'].map((status) =>
              probe(
                `${status} of ${name}`,
                responses.has(status) ? 'published' : 'not published',
                'published',
              ),
            ),
          ),
      ),
  },
]

async function otherMethods(world: World): Promise<string> {
  const byPath = Map.groupBy(world.operations, ({ path }) => path)
  const tries = [...byPath].flatMap(([path, operations]) => {
    const known = operations.map(({ method }) => method)
    return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
      .filter((method) => !known.includes(method))
      .map((method) => ({ method, path: path.replace(/\{\w+\}/g, '1') }))
  })
  return tally(
    await inParallel(tries, async ({ method, path }) =>
      probe(
        `${method} ${path}`,
        got(await world.order(path, { method })),
        /^(40[45] |400 invalid_id|403 forbidden)/,
      ),
    ),
  )
}

/** The router itself, without the runtime that it runs in. */
async function routesOf({ folder }: World): Promise<Route[]> {
  const outfile = `${folder}/router.mjs`
  await build({
    entryPoints: [fileURLToPath(new URL('../../worker/app.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    plugins: [withoutRuntime(folder)],
    logLevel: 'warning',
  })
  const { app } = (await import(pathToFileURL(outfile).href)) as { app: { routes: Route[] } }
  return app.routes
}

function withoutRuntime(folder: string): Plugin {
  const stub = `${folder}/runtime.mjs`
  writeFileSync(
    stub,
    `export class DurableObject {}
     export class WorkerEntrypoint {}
     export class RpcTarget {}
     export const env = {}`,
  )
  return {
    name: 'without the runtime',
    setup: ({ onResolve }) => {
      onResolve({ filter: /^cloudflare:/ }, () => ({ path: stub }))
    },
  }
}
