import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../dev/ports.ts'
import type { SwitchesInput } from '../../dev/switches.ts'
import type { Change } from '../../protocol/change.ts'
import type { Frame } from '../../protocol/frames.ts'
import { freshClone, type RunningBelfry, removeClone, startBelfry } from '../support/belfry.ts'
import { type Credentials, firstChange, readChanges } from './change-sockets.ts'

const run = promisify(execFile)
const cli = fileURLToPath(new URL('../../client/cli/main.ts', import.meta.url))
const DEADLINE_MS = 15_000
const DELIVERED = 'adam@belfry.example'
const BOUNCED = 'bounced+adam@resend.dev'

describe('npm start in a fresh clone', () => {
  let belfry: RunningBelfry
  let database: pg.Client

  beforeAll(async () => {
    belfry = await startBelfry(freshClone())
    database = new pg.Client({ connectionString: belfry.local().databaseUrl })
    await database.connect()
  })

  afterAll(async () => {
    if (existsSync(belfry.localPath)) await belfry.stop()
    removeClone(belfry.directory)
  })

  it('prints where to look and writes .belfry/local.json', () => {
    const { url, mailboxUrl, listenerUrl, signInUrl, adminToken, pids } = belfry.local()
    for (const address of [url, mailboxUrl, listenerUrl, signInUrl])
      expect(belfry.printed()).toContain(address)
    expect(adminToken).toMatch(/^\S{16,}$/)
    for (const pid of Object.values(pids)) expect(process.kill(pid, 0)).toBe(true)
  })

  it('P30 a change made by SQL reaches WebSocket, SSE, JSON, the CLI and the mailbox', async () => {
    const { url } = belfry.local()
    const { id } = await firstOrder()
    const socket = firstChange(
      `${url.replace('http', 'ws')}/api/changes/ws?table=orders&id=${id}`,
      asOperator(),
    )
    const tail = tailOne(id)
    await Promise.all([socket.ready, tail.ready])

    await database.query("UPDATE orders SET status = 'FILLED' WHERE id = $1", [id])

    const change = await socket.change
    expect(change).toMatchObject({ op: 'update', key: { id }, new: { status: 'filled' } })
    expect(await tail.change).toMatchObject({ id: change.id, offset: change.offset })
    expect(await changesOverJson(`?after=${change.offset - 1}&limit=1`)).toMatchObject([
      { id: change.id },
    ])
    expect(await firstEvent(change.offset - 1)).toMatchObject({ changes: [{ id: change.id }] })
    await expect
      .poll(mailbox, { timeout: DEADLINE_MS })
      .toContainEqual(expect.objectContaining({ subject: expect.stringContaining('filled') }))
  })

  it('P55 while Resend is down, mails of filled orders wait and say why', async () => {
    await switchTo({ provider: 'down' })
    for (const email of [DELIVERED, BOUNCED])
      await database.query(
        "INSERT INTO orders (customer_name, product_name, amount, status, customer_email) VALUES ('Adam', 'Apple', 1, 'filled', $1)",
        [email],
      )
    await expect
      .poll(async () => (await emailsTo(DELIVERED))[0]?.last_error, { timeout: DEADLINE_MS })
      .toContain('no answer')
    await expect.poll(() => emailsTo(BOUNCED)).toMatchObject([{ sent_at: null }])
    await switchTo({})
  })

  it('P1 P31 100,000 rows updated in one statement arrive complete and in order', async () => {
    await database.query(`CREATE TABLE bulk (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)`)
    await database.query(`INSERT INTO bulk SELECT generate_series(1, 100000)`)
    await database.query(`SELECT belfry.watch('bulk')`)
    const { url } = belfry.local()
    const reader = readChanges(
      `${url.replace('http', 'ws')}/api/changes/ws?table=bulk`,
      100_000,
      asOperator(),
    )
    await reader.ready
    await database.query('UPDATE bulk SET n = n + 1')
    const { offsets, keys, gaps } = await reader.done
    expect(gaps).toEqual([])
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    expect(new Set(offsets).size).toBe(100_000)
    expect(keys.size).toBe(100_000)
  }, 60_000)

  it('restarts a child that was killed, and nothing committed meanwhile is lost', async () => {
    const { url, pids } = belfry.local()
    const before = await head()
    process.kill(pids.listener, 'SIGKILL')
    await database.query(
      "INSERT INTO orders (customer_name, product_name, amount) VALUES ('Eve', 'Rope', 3)",
    )
    await expect.poll(() => head(), { timeout: DEADLINE_MS }).toBe(before + 1)
    expect(belfry.local().pids.listener).not.toBe(pids.listener)
    expect(await (await fetch(`${url}/api/status`, asOperator())).json()).toMatchObject({
      listener: { present: true },
    })
  })

  // Here, because they wait for up to 15 s, and other things can be looked at meanwhile.
  it('P51 P56 each of them has gone out once since Resend is back, and what became of it is known', async () => {
    for (const [email, state] of [
      [DELIVERED, 'delivered'],
      [BOUNCED, 'bounced'],
    ] as const)
      await expect
        .poll(() => emailsTo(email), { timeout: DEADLINE_MS })
        .toMatchObject([{ state, provider_id: expect.any(String) }])
    const mails = await mailbox()
    expect(mails.filter(({ to }) => to[0] === DELIVERED)).toHaveLength(1)
    expect(mails.filter(({ to }) => to[0] === BOUNCED)).toHaveLength(1)
  })

  it('P106 no secret stands in what it prints, in an address, in a list of processes or in the page', async () => {
    const { url, adminToken, signInUrl, ...local } = belfry.local()
    const kept = JSON.parse(readFileSync(join(belfry.directory, '.belfry/secrets.json'), 'utf8'))
    const staff = await fetch(`${signInUrl}/staff`)
    const { token } = (await staff.json()) as { token: string }
    const secrets: string[] = [token, ...Object.values<string>(kept)]
    // Each is refused, and so is told of in a line of the log.
    for (const secret of secrets)
      for (const init of [
        { headers: { authorization: `Bearer ${secret}x` } },
        { method: 'POST', body: `{"${secret}": 1`, headers: { authorization: `Bearer ${token}` } },
      ])
        expect((await fetch(`${url}/api/orders?status=${secret}`, init)).ok).toBe(false)
    await expect.poll(() => belfry.printed()).toMatch(/POST \/api\/orders 4\d\d/)

    const { stdout: processes } = await run('ps', ['-eo', 'args='])
    const built = globSync('dist/local/**/*.{html,js,css,json}', { cwd: belfry.directory })
    expect(built.length).toBeGreaterThan(5)
    const places = {
      printed: belfry.printed(),
      addresses: JSON.stringify([url, signInUrl, local]),
      processes,
      page: built.map((file) => readFileSync(join(belfry.directory, file), 'utf8')).join('\n'),
    }
    for (const [place, text] of Object.entries(places))
      for (const secret of secrets)
        expect(text.includes(secret), `${place} holds ${secret}`).toBe(false)
  })

  it('P106 what it keeps is its owner’s alone', () => {
    const folder = join(belfry.directory, '.belfry')
    const open = globSync('**/*', { cwd: folder, exclude: ['postgres'] }).filter(
      (file) => (statSync(join(folder, file)).mode & 0o077) !== 0,
    )
    expect(open).toEqual([])
    expect(statSync(folder).mode & 0o066).toBe(0)
  })

  it('a second npm start in the same folder, or on a busy port, says so in one sentence', async () => {
    const again = startBelfry(belfry.directory)
    await expect(again).rejects.toThrow(/ended with 1/)
    const busy = createServer()
    const port = await freePort()
    await new Promise<void>((resolve) => busy.listen(port, '127.0.0.1', resolve))
    const elsewhere = freshClone()
    const attempt = startBelfry(elsewhere, { env: { PORT: String(port) } })
    await expect(attempt).rejects.toThrow(new RegExp(`${port}`))
    await expect(attempt).rejects.not.toThrow(/ at .*:\d+:\d+/)
    busy.close()
    removeClone(elsewhere)
  })

  it('an unreachable DATABASE_URL is one sentence and exit 1', async () => {
    const elsewhere = freshClone()
    const env = { DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/none` }
    const attempt = startBelfry(elsewhere, { env })
    await expect(attempt).rejects.toThrow(/ended with 1[\s\S]*DATABASE_URL/)
    await expect(attempt).rejects.not.toThrow(/ at .*:\d+:\d+/)
    removeClone(elsewhere)
  })

  it('Ctrl-C leaves no process behind, and the data stays for the next time', async () => {
    const { pids } = belfry.local()
    await database.end()
    await belfry.stop()
    for (const pid of Object.values(pids)) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(await processesIn(belfry.directory)).toEqual([])
    expect(existsSync(belfry.localPath)).toBe(false)

    belfry = await startBelfry(belfry.directory)
    database = new pg.Client({ connectionString: belfry.local().databaseUrl })
    await database.connect()
    const { rows } = await database.query("SELECT FROM orders WHERE customer_name = 'Eve'")
    expect(rows).toHaveLength(1)
    expect(await head()).toBeGreaterThan(100_000)
    await database.end()
  })

  /** Whoever runs it. */
  function asOperator(): Credentials {
    return { headers: { authorization: `Bearer ${belfry.local().adminToken}` } }
  }

  async function mailbox(): Promise<{ to: string[]; subject: string }[]> {
    const response = await fetch(`${belfry.local().mailboxUrl}/mails`)
    return (await response.json()) as { to: string[]; subject: string }[]
  }

  async function switchTo(switches: SwitchesInput): Promise<void> {
    const body = JSON.stringify(switches)
    await fetch(`${belfry.local().mailboxUrl}/switches`, { method: 'PUT', body })
  }

  async function emailsTo(recipient: string): Promise<{ last_error: string | null }[]> {
    const query = new URLSearchParams({ recipient })
    const response = await fetch(`${belfry.local().url}/api/emails?${query}`, asOperator())
    return ((await response.json()) as { emails: { last_error: string | null }[] }).emails
  }

  async function firstOrder(): Promise<{ id: number }> {
    const { rows } = await database.query("SELECT id FROM orders WHERE status = 'pending' LIMIT 1")
    return { id: Number(rows[0].id) }
  }

  async function changesOverJson(query: string): Promise<Change[]> {
    const response = await fetch(`${belfry.local().url}/api/changes${query}`, asOperator())
    return ((await response.json()) as { changes: Change[] }).changes
  }

  async function head(): Promise<number> {
    const response = await fetch(`${belfry.local().url}/api/status`, asOperator())
    return ((await response.json()) as { head: number }).head
  }

  async function firstEvent(after: number): Promise<Frame> {
    const address = `${belfry.local().url}/api/changes/stream?after=${after}`
    const response = await fetch(address, asOperator())
    let heard = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      heard += chunk
      const data = /^data: (\{"type":"changes".*)$/m.exec(heard)?.[1]
      if (data && heard.endsWith('\n\n')) return JSON.parse(data)
    }
    throw new Error(`the stream ended:\n${heard}`)
  }

  function tailOne(id: number) {
    const { url, databaseUrl, adminToken } = belfry.local()
    const child = execFile(
      process.execPath,
      [cli, 'tail', 'orders', '--json', '--where', `id=${id}`],
      {
        env: {
          ...process.env,
          BELFRY_URL: url,
          BELFRY_ADMIN_TOKEN: adminToken,
          DATABASE_URL: databaseUrl,
        },
        timeout: DEADLINE_MS,
      },
    )
    const ready = new Promise<void>((resolve) => {
      child.stderr?.on('data', (said) => {
        if (String(said).includes('live')) resolve()
      })
    })
    const change = new Promise<Change>((resolve, reject) => {
      child.stdout?.once('data', (line) => resolve(JSON.parse(String(line))))
      child.once('exit', (code) => reject(new Error(`tail ended with ${code}`)))
    })
    return { ready, change: change.finally(() => child.kill('SIGINT')) }
  }
})

/** Processes whose command line or working directory lies in a folder. */
async function processesIn(directory: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args='])
  return stdout.split('\n').filter((line) => line.includes(directory) && !line.includes(' ps '))
}
