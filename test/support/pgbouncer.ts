import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../dev/ports.ts'
import { postgresAccount } from '../../dev/postgres-account.ts'
import type { AtEnd } from './database.ts'
import { within } from './deadline.ts'

const known = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer']

/** Where pgbouncer is installed; null where it is not. */
export const pgbouncer: string | null = known.find((path) => existsSync(path)) ?? null

/**
 * A pooler in front of a database, for one test.
 * @returns the database's address by way of it
 */
export async function startPgbouncer(
  binary: string,
  url: string,
  { poolMode, poolSize }: { poolMode: 'transaction' | 'session'; poolSize: number },
  atEnd: AtEnd,
): Promise<string> {
  const address = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'belfry-test-pgbouncer-'))
  chmodSync(folder, 0o755)
  const port = await freePort(40_000 + Math.floor(Math.random() * 10_000))
  writeFileSync(join(folder, 'users.txt'), '"app" "app"\n')
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
     * = host=${address.hostname} port=${address.port}
     [pgbouncer]
     listen_addr = 127.0.0.1
     listen_port = ${port}
     unix_socket_dir =
     auth_type = trust
     auth_file = ${folder}/users.txt
     pool_mode = ${poolMode}
     default_pool_size = ${poolSize}
    `.replace(/^ +/gm, ''),
  )
  const account = postgresAccount(binary, join(folder, 'data'))
  const { command, args, ...options } = account.launch(binary, folder, [`${folder}/pgbouncer.ini`])
  const life = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  atEnd(async () => {
    const exited = new Promise<void>((resolve) => life.once('exit', () => resolve()))
    if (life.exitCode === null && life.kill('SIGKILL')) await exited
    rmSync(folder, { recursive: true })
  })
  let said = ''
  const up = new Promise<void>((resolve, reject) => {
    life.stderr?.on('data', (chunk) => {
      said += chunk
      if (said.includes('process up')) resolve()
    })
    life.once('exit', () => reject(new Error(`pgbouncer did not start:\n${said}`)))
  })
  await within(10_000, 'pgbouncer ready', up)
  address.port = String(port)
  return address.href
}
