import { existsSync, globSync, statSync, writeFileSync } from 'node:fs'
import { Failure } from './failure.ts'
import { projectFolder } from './folders.ts'
import { runTool } from './tool.ts'

/**
 * The dashboard is built twice, because only that of the local run lets one be any of the users:
 * the other, which is deployed, holds nothing of that. vite.config.ts says what each build is.
 */
const builds = {
  deployed: { folder: `${projectFolder}/dist/client`, mode: 'production' },
  local: { folder: `${projectFolder}/dist/local`, mode: 'local-run' },
} as const
export type Build = keyof typeof builds

export const localDashboard = builds.local.folder

const sources = ['client/**/*', 'protocol/**/*', 'vite.config.ts', 'package-lock.json']

/** Whether the dashboard as it was built last is older than what it is built from. */
export function isDashboardStale(build: Build): boolean {
  const built = `${builds[build].folder}/index.html`
  if (!existsSync(built)) return true
  const builtAt = statSync(built).mtimeMs
  return sources
    .flatMap((pattern) => globSync(pattern, { cwd: projectFolder }))
    .some((file) => statSync(`${projectFolder}/${file}`).mtimeMs > builtAt)
}

export async function buildDashboard(build: Build, ending: AbortSignal): Promise<void> {
  const vite = `${projectFolder}/node_modules/vite/bin/vite.js`
  const { succeeded, output } = await runTool(
    {
      command: process.execPath,
      args: [
        ...[vite, 'build', '--configLoader', 'native', '--logLevel', 'warn'],
        ...['--mode', builds[build].mode],
      ],
      cwd: projectFolder,
      env: process.env,
    },
    ending,
  )
  if (!succeeded)
    throw new Failure(
      `The dashboard could not be built. Mend what vite says, and start again:\n${output}`,
    )
}

/** Tells the dashboard of the local run, by a file beside it, who gives out users' tokens. */
export function tellDashboard(signInUrl: string): void {
  writeFileSync(`${localDashboard}/sign-in.json`, `${JSON.stringify({ signInUrl })}\n`)
}
