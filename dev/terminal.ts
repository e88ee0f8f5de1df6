import { styleText } from 'node:util'
import { Failure } from './failure.ts'

/**
 * All that a command of `dev/` says to a person goes through here, so that a step
 * in progress (a line that is overwritten) and the children's log never mix.
 * Colours and the overwritten line are for terminals only; NO_COLOR is respected.
 */
export type Colour = 'blue' | 'cyan' | 'green' | 'magenta' | 'red' | 'yellow' | 'dim' | 'bold'

const nameWidth = 10
const detailWidth = 46
let inProgress: string | null = null

export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout })
}

export function print(line = ''): void {
  const redraw = inProgress
  eraseProgress()
  process.stdout.write(`${line}\n`)
  if (redraw !== null) showProgress(redraw)
}

/**
 * One step of a command: a line with its name, what came of it and how long it took.
 * A failure is printed on the same line and thrown on.
 * @param work resolves with a few words on the result
 */
export async function step<T>(
  name: string,
  work: () => Promise<{ said: string; result: T }>,
): Promise<T> {
  const began = performance.now()
  showProgress(`${paint('dim', '…')} ${name}`)
  try {
    const { said, result } = await work()
    const seconds = paint('dim', `${((performance.now() - began) / 1000).toFixed(1)} s`)
    eraseProgress()
    print(`${paint('green', '✓')} ${name.padEnd(nameWidth)} ${said.padEnd(detailWidth)} ${seconds}`)
    return result
  } catch (error) {
    eraseProgress()
    throw error
  }
}

/** @returns a function that prints a line of this name's log */
export function logOf(name: string, colour: Colour): (line: string) => void {
  return (line) => {
    const time = paint('dim', new Date().toTimeString().slice(0, 8))
    print(`${time} ${paint(colour, name.padEnd(nameWidth))} ${line}`)
  }
}

/** A failure in one sentence; anything else is a bug of ours and keeps its stack. */
export function printError(error: unknown): void {
  const text =
    error instanceof Failure
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  eraseProgress()
  process.stderr.write(`${styleText('red', '✗', { stream: process.stderr })} ${text}\n`)
}

function showProgress(text: string): void {
  if (!process.stdout.isTTY) return
  inProgress = text
  process.stdout.write(text)
}

/** The step in progress is given up: its line does not come back. */
export function eraseProgress(): void {
  if (inProgress === null) return
  inProgress = null
  process.stdout.write('\r\x1b[2K')
}

// A terminal that was closed, or a pipe like `| head`: the run goes on, or ends, unheard.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
