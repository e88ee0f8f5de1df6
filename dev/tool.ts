import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { Launch } from './child.ts'
import { signalGroup } from './processes.ts'

/**
 * Runs a program that does one thing and ends, such as a compiler. It is killed when the run ends.
 * @returns what it printed, and whether it succeeded
 */
export async function runTool(
  { command, args, ...options }: Launch,
  ending: AbortSignal,
): Promise<{ succeeded: boolean; output: string }> {
  ending.throwIfAborted()
  const life = spawn(command, args, {
    ...options,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => life.pid && signalGroup(life.pid, 'SIGKILL')
  ending.addEventListener('abort', kill)
  try {
    const closed = new Promise<number | null>((resolve, reject) => {
      life.once('error', reject)
      life.once('close', resolve)
    })
    const [printed, complaints, code] = await Promise.all([
      text(life.stdout),
      text(life.stderr),
      closed,
    ])
    ending.throwIfAborted()
    return { succeeded: code === 0, output: `${printed}${complaints}`.trim() }
  } finally {
    ending.removeEventListener('abort', kill)
  }
}
