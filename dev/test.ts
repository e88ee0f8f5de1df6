import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { requireBrowser } from './browser.ts'

/** `npm test`: finds a browser, builds the page, and runs every test, or those that are named. */
const project = fileURLToPath(new URL('..', import.meta.url))

function run(script: string, args: string[], env: Record<string, string> = {}): number {
  const path = fileURLToPath(import.meta.resolve(script))
  const options = { cwd: project, stdio: 'inherit', env: { ...process.env, ...env } } as const
  return spawnSync(process.execPath, [path, ...args], options).status ?? 1
}

try {
  const CHROME_PATH = requireBrowser((line) => console.log(line))
  process.exitCode =
    run('../node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn']) ||
    run('../node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)], { CHROME_PATH })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
