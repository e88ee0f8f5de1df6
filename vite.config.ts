import { readdirSync, rmSync, statSync } from 'node:fs'
import preact from '@preact/preset-vite'
import { defineConfig, type Plugin } from 'vite'
import { problemTables } from './client/docs/problem-tables.ts'

/** Where `vite` (with hot reloading) sends what only the worker can answer. */
const worker = process.env.BELFRY_URL ?? 'http://127.0.0.1:8787'

/** Writes the tables of the protocol into the page that explains them. */
const problemPage: Plugin = {
  name: 'problem-page',
  transformIndexHtml: (html) => html.replace('<!-- tables -->', problemTables),
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
  plugins: [preact(), problemPage, oldAssets],
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
    // Browsers that have light-dark(), so that it is not rewritten for older ones.
    target: ['es2023', 'chrome123', 'edge123', 'firefox121', 'safari17.5'],
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
