import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { serveSockets } from '../sdk/small-socket-server.ts'
import { changes, hello, inserted } from '../sdk/world.ts'
import { serveWorker } from './small-worker.ts'

const main = fileURLToPath(new URL('../../client/cli/main.ts', import.meta.url))
const env = { PATH: process.env.PATH ?? '', FORCE_COLOR: '0' }

type Ran = { code: number | null; stdout: string; stderr: string }

function belfry(args: string[], cwd = tmpdir(), more: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { cwd, env: { ...env, ...more } },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

// A process starts in a third of a second, on a busy machine in many.
const patience = { timeout: 30_000 }

describe('the command line', patience, () => {
  it('without a word, or asked for help, says what there is', async () => {
    const [nothing, help, flag] = await Promise.all([
      belfry([]),
      belfry(['help']),
      belfry(['--help']),
    ])
    expect(nothing.code).toBe(0)
    expect(nothing.stdout).toMatch(/ {2}tail \[table\].*\n.*\n {2}orders list \| get/)
    expect([help, flag]).toEqual([nothing, nothing])
  })

  it('says more on a command', async () => {
    const [help, flag] = await Promise.all([belfry(['help', 'tail']), belfry(['tail', '--help'])])
    expect(help.stdout).toMatch('--where column=value  only rows')
    expect(flag).toEqual(help)
  })

  it('is wrong with one sentence and exit 2', async () => {
    const [command, flag] = await Promise.all([belfry(['tial']), belfry(['status', '--jsn'])])
    expect(command).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'belfry: there is no command "tial" (did you mean "tail"?); `belfry help` lists what there is.\n',
    })
    expect(flag).toMatchObject({
      code: 2,
      stderr: 'belfry: there is no flag "--jsn" (did you mean "--json"?).\n',
    })
  })

  it('finds the local run in a folder above', async () => {
    await using worker = await serveWorker(() => ({ body: { orders: [], next_cursor: null } }))
    const folder = await mkdtemp(join(tmpdir(), 'belfry-cli-'))
    try {
      await mkdir(join(folder, '.belfry'))
      await mkdir(join(folder, 'a', 'b'), { recursive: true })
      const file = join(folder, '.belfry', 'local.json')
      await writeFile(file, JSON.stringify({ url: worker.url, databaseUrl: 'postgres://x' }))
      const found = await belfry(['orders', 'list'], join(folder, 'a', 'b'))
      expect(found).toEqual({ code: 0, stdout: '', stderr: 'No order is like that.\n' })
      await writeFile(file, '{')
      const broken = await belfry(['orders', 'list'], folder)
      expect([broken.code, broken.stderr]).toEqual([
        1,
        `✗ ${file} cannot be read: start again with \`npm start\`, which writes it anew.\n`,
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('a database that is not there is a sentence, not a stack', async () => {
    const closed = await serveWorker(() => ({}))
    await closed[Symbol.asyncDispose]()
    const DATABASE_URL = closed.url.replace('http://', 'postgres://me:secret@')
    const { code, stderr } = await belfry(['sql', 'select 1'], tmpdir(), { DATABASE_URL })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^✗ The database at 127\.0\.0\.1:\d+\/me cannot be used: nothing listens there\./,
    )
    expect(stderr).not.toMatch('secret')
  })
})

describe('tail as a process', patience, () => {
  it('ends quietly when its reader has had enough', async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => inserted(index + 1))
    await using server = await serveSockets((visitor) => {
      visitor.say(JSON.stringify(hello('a', 0)))
      for (const [index, one] of many.entries())
        visitor.say(JSON.stringify(changes('a', index, [one])))
    })
    const child = spawn(process.execPath, [main, 'tail', '--json'], {
      env: { ...env, BELFRY_URL: server.url },
    })
    const errors: string[] = []
    child.stderr.on('data', (data) => errors.push(String(data)))
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(errors.join('')).not.toMatch(/EPIPE|Error/)
  })

  it('on Ctrl-C says where to resume and exits 0', async () => {
    await using server = await serveSockets((visitor) =>
      visitor.say(JSON.stringify(hello('a', 41))),
    )
    const child = spawn(process.execPath, [main, 'tail'], {
      env: { ...env, BELFRY_URL: server.url },
    })
    let stderr = ''
    const live = Promise.withResolvers<void>()
    child.stderr.on('data', (data) => {
      stderr += data
      if (stderr.includes('live')) live.resolve()
    })
    await live.promise
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    expect([code, stderr.split('\n').at(-2)]).toEqual([0, '· resume with --after 41 --epoch a'])
  })
})
