import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import preact from '@preact/preset-vite'
import { build, defineConfig, type Plugin } from 'vite'
import { problemTables } from './client/docs/problem-tables.ts'

/** Where `vite` (with hot reloading) sends what only the worker can answer. */
const worker = process.env.BELFRY_URL ?? 'http://127.0.0.1:8787'

/** Writes the tables of the protocol into the page that explains them. */
const problemPage: Plugin = {
  name: 'problem-page',
  transformIndexHtml: (html) => html.replace('<!-- tables -->', problemTables),
}

/**
 * The dashboard of `npm start` is a build of its own (`--mode local-run`), in which one may be any of
 * the users: it has `import.meta.env.MODE === 'local-run'`, and finds the server that gives out their
 * tokens in `/sign-in.json`. Nothing of that is in the other build, which is deployed.
 */
const localRun: Plugin = {
  name: 'local-run',
  config: (_, { mode }) => (mode === 'local-run' ? { build: { outDir: '../dist/local' } } : null),
  writeBundle({ dir }) {
    if (dir?.endsWith('dist/local')) admitSignIn(`${dir}/_headers`)
  },
}

/** The server that gives out tokens is at another port of this machine, so the policy must name it. */
function admitSignIn(file: string): void {
  const headers = readFileSync(file, 'utf8')
  const local = "connect-src 'self' http://127.0.0.1:* http://localhost:*"
  writeFileSync(file, headers.replaceAll("connect-src 'self'", local))
}

// Browsers that have light-dark() and popovers, so that neither is rewritten for older ones. A year of
// ECMAScript beside them would stand for older browsers again.
const target = ['chrome123', 'edge123', 'firefox125', 'safari17.5']

/** `/belfry-inbox.js`: one file with all that it needs, for pages of others; so it shares no chunk. */
const inboxElement: Plugin = {
  name: 'inbox-element',
  apply: 'build',
  async generateBundle() {
    const built = await build({
      configFile: false,
      root: 'client',
      logLevel: 'warn',
      build: {
        write: false,
        target,
        rolldownOptions: {
          input: 'client/element/belfry-inbox.ts',
          output: { codeSplitting: false },
        },
      },
    })
    if (!('output' in built)) throw new Error('one build of <belfry-inbox> was expected')
    const [{ code }] = built.output
    this.emitFile({ type: 'asset', fileName: 'belfry-inbox.js', source: code })
  },
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * A running `wrangler dev` reads the folder while it is written: emptied first,
 * it would be found empty, and every page would be missing. So files are only
 * added, and those of builds of days before are taken away.
 */
const oldAssets: Plugin = {
  name: 'old-assets',
  writeBundle({ dir }, bundle) {
    for (const name of readdirSync(`${dir}/assets`)) {
      const file = `${dir}/assets/${name}`
      const isOld = Date.now() - statSync(file).mtimeMs > DAY_MS
      if (isOld && !(`assets/${name}` in bundle)) rmSync(file)
    }
  },
}

export default defineConfig({
  root: 'client',
  plugins: [preact(), problemPage, localRun, oldAssets, inboxElement],
  server: {
    proxy: {
      '/api': { target: worker, ws: true },
      '/healthz': worker,
      '/openapi.json': worker,
    },
  },
  build: {
    outDir: '../dist/client',
    emptyOutDir: false,
    target,
    // Every asset of ours is a file of its own; only Swagger UI's style sheet brings `data:` images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Swagger UI alone is 1.7 MB before compression; only /docs loads it.
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      input: {
        index: 'client/index.html',
        mail: 'client/mail.html',
        docs: 'client/docs.html',
        problems: 'client/docs/problems.html',
        belfry: 'client/sdk/belfry.ts',
      },
      // The SDK is imported by name and by pages that are not ours: `/belfry.js`, with its exports.
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: ({ name }) => (name === 'belfry' ? 'belfry.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})
