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

export default defineConfig({
  root: 'client',
  plugins: [preact(), problemPage],
  server: {
    proxy: {
      '/api': { target: worker, ws: true },
      '/healthz': worker,
      '/openapi.json': worker,
    },
  },
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    // Browsers that have light-dark(), so that it is not rewritten for older ones.
    target: ['es2023', 'chrome123', 'edge123', 'firefox121', 'safari17.5'],
    // Every asset is a file of its own: a strict Content-Security-Policy then needs no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Swagger UI alone is 1.7 MB before compression; only /docs loads it.
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      input: {
        index: 'client/index.html',
        docs: 'client/docs.html',
        problems: 'client/docs/problems.html',
      },
    },
  },
})
