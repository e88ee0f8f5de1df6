import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { workerAddress } from './address.ts'
import { sendStream } from './api.ts'
import { readArguments } from './arguments.ts'
import { adminCredential } from './credential.ts'
import { Failure } from './failure.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'
import { loadedText } from './users-write.ts'

/*
 * Law. The file is sent as it is read and the answer read as it comes, so that memory stays the
 * same however long both are. Whether all went is said by the last line of the answer alone: one
 * that breaks off has failed. A load may be repeated, and changes nothing that it has done.
 */

/** A batch of a thousand lines takes well under a second, and is tried for up to 15 s. */
const SILENCE_MS = 60_000

const count = z.number()
const tally = z.object({
  lines: count,
  created: count,
  changed: count,
  unchanged: count,
  failed: count,
})
type Tally = z.infer<typeof tally>

const said = z.union([
  z.object({ line: count, message: z.string() }),
  tally.extend({ done: z.literal(true) }),
  tally.extend({ done: z.literal(false), message: z.string() }),
  tally,
])

/** @returns 1 if a line was refused */
export async function load(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readArguments(args, { json: 'switch' }, ['the file'])
  const [base, as] = [workerAddress(terminal), adminCredential(terminal)]
  const body = await openInput(words[0] ?? '', terminal)
  const giveUp = new AbortController()
  const stopListening = terminal.onInterrupt(() => giveUp.abort(STOPPED))
  let silence: NodeJS.Timeout | undefined
  let last: Tally | null = null
  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(() => giveUp.abort(SILENT), SILENCE_MS)
  }
  heard()
  try {
    const how = { body, type: 'application/x-ndjson', as, signal: giveUp.signal }
    for await (const line of sendStream(base, '/api/users/load', how)) {
      heard()
      const word = read(line, base)
      if (flags.json) terminal.out(`${line}\n`)
      if ('line' in word) {
        terminal.progress(null)
        if (!flags.json) terminal.err(`line ${word.line}: ${printable(word.message)}\n`)
        continue
      }
      last = word
      if (!('done' in word)) terminal.progress(tallyText(word))
      else if (word.done) return finish(word, terminal)
      else throw new Failure(printable(word.message))
    }
    if (!giveUp.signal.aborted) throw new Failure(`${BROKEN_OFF} ${soFar(last)}`)
  } catch (error) {
    if (!giveUp.signal.aborted) throw error
  } finally {
    clearTimeout(silence)
    stopListening()
    terminal.progress(null)
  }
  throw new Failure(`${giveUp.signal.reason} ${soFar(last)}`)
}

const STOPPED = 'Stopped.'
const SILENT = `The worker has said nothing for ${SILENCE_MS / 1000} s.`
const BROKEN_OFF = 'The answer broke off.'

function read(line: string, base: string): z.infer<typeof said> {
  const word = said.safeParse(parse(line))
  if (word.success) return word.data
  throw new Failure(
    `${base}/api/users/load answered something else than Belfry does: is BELFRY_URL its address?`,
  )
}

function finish(all: Tally, terminal: Terminal): number {
  terminal.progress(null)
  terminal.err(`${tallyText(all)}.\n`)
  return all.failed > 0 ? 1 : 0
}

/** `1000 lines: 990 created, 8 changed, 2 unchanged, 0 refused` */
function tallyText(all: Tally): string {
  return `${lines(all.lines)}: ${loadedText(all)}, ${all.failed} refused`
}

function soFar(last: Tally | null): string {
  const told =
    last === null ? 'Of no line it is known what became of it.' : `So far ${tallyText(last)}.`
  return `${told} Load the same again: what is loaded is left as it is.`
}

function lines(count: number): string {
  return count === 1 ? '1 line' : `${count} lines`
}

/** @throws Failure in words */
async function openInput(file: string, terminal: Terminal): Promise<ReadableStream<Uint8Array>> {
  if (file === '-') return terminal.openInput()
  const path = resolve(terminal.cwd, file)
  try {
    const handle = await open(path)
    if ((await handle.stat()).isDirectory()) {
      await handle.close()
      throw Object.assign(new Error(), { code: 'EISDIR' })
    }
    return Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>
  } catch (error) {
    const { code = '' } = error as { code?: string }
    throw new Failure(troubles[code] ? `${path} ${troubles[code]}` : `${path} cannot be read.`)
  }
}

const troubles: Record<string, string> = {
  ENOENT: 'is not there: give the path of a file with a user on each line, or - for stdin.',
  EISDIR: 'is a folder: give the path of a file with a user on each line.',
  EACCES: 'may not be read by you: change its permissions, or pass it on stdin with -.',
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
