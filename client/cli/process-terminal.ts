import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { styleText } from 'node:util'
import type { Terminal } from './terminal.ts'
import { cut } from './text-width.ts'

/** The terminal that this process was started in. */
export function processTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process
  for (const stream of [stdout, stderr]) stream.on('error', leaveQuietly)
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    progress(text) {
      if (!stderr.isTTY) return
      const shown = text === null ? '' : cut(text, stderr.columns - 1)
      stderr.write(`\r\u001b[K${shown}`)
    },
    paint: (colour, text) => styleText(colour, text, { stream: stdout }),
    paintErr: (colour, text) => styleText(colour, text, { stream: stderr }),
    width: () => (stdout.isTTY ? stdout.columns : null),
    readInput: () => text(stdin),
    openInput: () => Readable.toWeb(stdin) as ReadableStream<Uint8Array>,
    onInterrupt(run) {
      const stop = () => {
        process.off('SIGINT', once)
        process.off('SIGTERM', once)
      }
      const once = () => {
        stop()
        run()
      }
      process.on('SIGINT', once)
      process.on('SIGTERM', once)
      return stop
    },
    env,
    cwd: process.cwd(),
  }
}

/** Whoever read our output (`| head`) has had enough. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
