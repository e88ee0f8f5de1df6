import { build } from 'esbuild'

/** One file, `dist/listener.mjs`, for the container: nothing else is copied into it. */
await build({
  entryPoints: ['listener/main.ts'],
  outfile: 'dist/listener.mjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'inline',
  // pg looks for its native twin, which is not used.
  external: ['pg-native'],
  // What is CommonJS inside asks for require.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
