import { existsSync, globSync, statSync } from 'node:fs'
import { Failure } from './failure.ts'
import { projectFolder } from './folders.ts'
import { runTool } from './tool.ts'

const built = `${projectFolder}/dist/client/index.html`
const sources = ['client/**/*', 'protocol/**/*', 'vite.config.ts', 'package-lock.json']

/** Whether the dashboard as it was built last is older than what it is built from. */
export function isDashboardStale(): boolean {
  if (!existsSync(built)) return true
  const builtAt = statSync(built).mtimeMs
  return sources
    .flatMap((pattern) => globSync(pattern, { cwd: projectFolder }))
    .some((file) => statSync(`${projectFolder}/${file}`).mtimeMs > builtAt)
}

/** Into `dist/client`, where wrangler.toml has it. */
export async function buildDashboard(ending: AbortSignal): Promise<void> {
  const vite = `${projectFolder}/node_modules/vite/bin/vite.js`
  const { succeeded, output } = await runTool(
    {
      command: process.execPath,
      args: [vite, 'build', '--configLoader', 'native', '--logLevel', 'warn'],
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
