import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'belfry-load-'))
})
afterAll(() => rm(folder, { recursive: true }))

const MORE_THAN_SOCKETS_HOLD_KB = 16 * 1_024

const tally = { lines: 0, created: 0, changed: 0, unchanged: 0, failed: 0 }

/** Takes lines and answers while they come, as the worker does; a line of `bad` is refused. */
async function takeLines(request: IncomingMessage, response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const now = { ...tally }
  for await (const line of createInterface({ input: request })) {
    now.lines += 1
    if (line === 'bad') {
      now.failed += 1
      response.write(`${JSON.stringify({ line: now.lines, message: 'no \u001b JSON' })}\n`)
    } else now.created += 1
    if (now.lines % 1_000 === 0) response.write(`${JSON.stringify(now)}\n`)
  }
  response.end(`${JSON.stringify({ ...now, done: true })}\n`)
}

type Served = { asked: IncomingMessage[]; terminal: FakeTerminal; ended: Promise<number> }

async function load(
  what: { text?: string; input?: string; args?: string[] },
  answer: (request: IncomingMessage, response: ServerResponse) => unknown = takeLines,
  during: (served: Served) => Promise<void> = async () => undefined,
) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const terminal = new FakeTerminal()
  terminal.env = {
    BELFRY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    BELFRY_ADMIN_TOKEN: 'secret',
  }
  terminal.cwd = folder
  terminal.input = what.input ?? ''
  if (what.text !== undefined) await writeFile(join(folder, 'users.ndjson'), what.text)
  const ended = run(['users', 'load', ...(what.args ?? ['users.ndjson'])], terminal)
  await during({ asked, terminal, ended })
  const status = await ended
  server.closeAllConnections()
  server.close()
  return { status, out: terminal.stdout, err: terminal.stderr, asked, terminal }
}

describe('users load', () => {
  it('P88 sends the file as it is, says how it goes, and that all went', async () => {
    const { status, err, asked, terminal } = await load({ text: 'good\n'.repeat(2_500) })
    expect({ status, err }).toEqual({
      status: 0,
      err: '2500 lines: 2500 created, 0 changed, 0 unchanged, 0 refused.\n',
    })
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/api/users/load' })
    expect(asked[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/x-ndjson',
    })
    expect(terminal.progressed).toEqual([
      '1000 lines: 1000 created, 0 changed, 0 unchanged, 0 refused',
      '2000 lines: 2000 created, 0 changed, 0 unchanged, 0 refused',
      null,
      null,
    ])
  })

  it('P88 names each bad line by its number, and ends with 1', async () => {
    const { status, err } = await load({ text: 'good\nbad\ngood\nbad\n' })
    expect(status).toBe(1)
    expect(err.split('\n')).toEqual([
      'line 2: no \\u001b JSON',
      'line 4: no \\u001b JSON',
      '4 lines: 2 created, 0 changed, 0 unchanged, 2 refused.',
      '',
    ])
  })

  it('reads stdin, and with --json prints what the worker says', async () => {
    const { status, out, err } = await load({ input: 'good\nbad', args: ['-', '--json'] })
    expect(status).toBe(1)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { line: 2, message: 'no \u001b JSON' },
      { ...tally, lines: 2, created: 1, failed: 1, done: true },
    ])
    expect(err).toMatch('2 lines: 1 created')
  })

  it('P88 an answer is heard while the file is still sent', async () => {
    const [heard, line] = [Promise.withResolvers<void>(), `${'x'.repeat(1_023)}\n`]
    const { status } = await load(
      { text: line.repeat(MORE_THAN_SOCKETS_HOLD_KB) },
      async (request, response) => {
        response.writeHead(200)
        response.write(`${JSON.stringify({ ...tally, lines: 7 })}\n`)
        await heard.promise
        // Until then nothing of the request was read.
        for await (const _ of request);
        response.end(`${JSON.stringify({ ...tally, done: true })}\n`)
      },
      async ({ asked, terminal }) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        terminal.progress = (text) => {
          if (text?.startsWith('7 lines')) resolve()
        }
        await promise
        expect(asked[0]?.complete).toBe(false)
        heard.resolve()
      },
    )
    expect(status).toBe(0)
  })

  it.each([
    ['is refused at once', 401, { title: 'Credentials are missing or wrong' }, /Credentials/],
    ['is not the worker', 200, 'hello\n', /something else than Belfry/],
    ['breaks off', 200, `${JSON.stringify({ ...tally, lines: 7 })}\n`, /broke off.*So far 7 lines/],
    [
      'fails in the middle',
      200,
      `${JSON.stringify({ ...tally, done: false, message: 'The database is gone.' })}\n`,
      /database is gone/,
    ],
  ])('an answer that %s ends with 1 and what to do', async (_, code, body, said) => {
    const { status, err } = await load({ text: 'good\n' }, (request, response) => {
      request.resume()
      response.writeHead(code, { 'content-type': 'application/problem+json' })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
    expect(status).toBe(1)
    expect(err).toMatch(said)
  })

  it('a connection that breaks in the middle of a line says how far it came', async () => {
    const { status, err } = await load({ text: 'good\n' }, (request, response) => {
      request.resume()
      response.writeHead(200)
      const first = JSON.stringify({ ...tally, lines: 7 })
      response.write(`${first}\n${first.slice(0, 9)}`, () => response.destroy())
    })
    expect(status).toBe(1)
    expect(err).toMatch(/^✗ The answer broke off\. So far 7 lines: .* Load the same again/)
  })

  it('Ctrl-C before any answer ends it', async () => {
    const { status, err } = await load(
      { text: 'good\n' },
      (request) => request.resume(),
      async ({ terminal, asked }) => {
        await expect.poll(() => asked.length).toBe(1)
        terminal.interrupt()
      },
    )
    expect(status).toBe(1)
    expect(err).toMatch(/^✗ Stopped\. Of no line it is known/)
  })

  it('Ctrl-C says how far it came', async () => {
    const { status, err } = await load(
      { text: 'good\n' },
      (request, response) => {
        request.resume()
        response.writeHead(200)
        response.write(`${JSON.stringify({ ...tally, lines: 1_000, created: 1_000 })}\n`)
      },
      async ({ terminal }) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        terminal.progress = (text) => {
          if (text !== null) resolve()
        }
        await promise
        terminal.interrupt()
      },
    )
    expect(status).toBe(1)
    expect(err).toMatch(/Stopped\. So far 1000 lines: 1000 created.* Load the same again/)
  })

  it.each([
    ['missing.ndjson', /missing.ndjson is not there/],
    ['.', /is a folder/],
  ])('%s is a sentence, and nothing is asked', async (file, said) => {
    const { status, err, asked } = await load({ args: [file] })
    expect({ status, asked }).toEqual({ status: 1, asked: [] })
    expect(err).toMatch(said)
  })
})
