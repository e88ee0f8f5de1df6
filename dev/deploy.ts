import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { directAddress } from '../listener/address.ts'
import { buildDashboard } from './dashboard.ts'
import { migrateDatabase, serverVersion } from './database.ts'
import { parseDatabaseUrl, spokenAddress } from './database-url.ts'
import { Failure } from './failure.ts'
import { projectFolder } from './folders.ts'
import { print, printError, step } from './terminal.ts'

/**
 * `npm run deploy`: builds the dashboard, migrates the database on its direct address, and
 * deploys the worker, in this order: the new worker finds the tables that it needs, and a build
 * that fails has touched nothing. Further arguments go to `wrangler deploy`; with `--dry-run`
 * nothing is migrated.
 *
 * The worker's secrets are set beforehand, each with `wrangler secret put`:
 *
 * | secret                | is                                                     | rotated by                          |
 * |-----------------------|--------------------------------------------------------|-------------------------------------|
 * | DATABASE_URL          | a login in the role `belfry_worker` (migration 0010)   | a second login in that role         |
 * | LINK_SECRET           | the listener's too                                     | LINK_SECRET_PREVIOUS, see below     |
 * | ADMIN_TOKEN           | of whoever runs it                                     | ADMIN_TOKEN_PREVIOUS                |
 * | AUTH_SECRET           | your own sign-in's; not with AUTH_JWKS_URL             | AUTH_SECRET_PREVIOUS                |
 * | RESEND_API_KEY        | of Resend                                              | a second key there                  |
 * | RESEND_WEBHOOK_SECRET | of Resend's webhook                                    | RESEND_WEBHOOK_SECRET_PREVIOUS      |
 *
 * To rotate one: put the old value into `…_PREVIOUS` and the new one into its name; give the new one
 * to whoever has the other half (the listener, your sign-in, Resend, people); once nobody uses the old
 * one any more, `wrangler secret delete …_PREVIOUS`. Nothing is refused meanwhile.
 */
try {
  const args = process.argv.slice(2)
  const address = args.includes('--dry-run') ? null : databaseAddress()
  await step('dashboard', async () => {
    await buildDashboard('deployed', new AbortController().signal)
    return { said: 'built', result: null }
  })
  if (address !== null) await migrate(address)
  print()
  process.exitCode = await wranglerDeploy(args)
} catch (error) {
  printError(error)
  process.exitCode = 1
}

function databaseAddress(): string {
  const { DATABASE_DIRECT_URL: direct, DATABASE_URL: given } = process.env
  const text = direct || given
  if (!text)
    throw new Failure(
      'Set DATABASE_URL to the address of the production database, so that it can be migrated before the worker is deployed; or try npm run deploy -- --dry-run.',
    )
  parseDatabaseUrl(text, direct ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL')
  const address = directAddress(text)
  if (!address.ok) throw new Failure(address.sentence)
  return address.url
}

async function migrate(url: string): Promise<void> {
  await step('postgres', async () => ({
    said: `${await serverVersion(url)} at ${spokenAddress(url)}`,
    result: null,
  }))
  const told = await step('migrations', async () => {
    const { applied, known, told } = await migrateDatabase(url)
    return { said: applied > 0 ? `${applied} of ${known} applied` : 'up to date', result: told }
  })
  for (const sentence of told) print(sentence)
}

/** wrangler has the terminal: it may ask to log in. Its exit code is ours. */
async function wranglerDeploy(args: string[]): Promise<number> {
  const wrangler = `${projectFolder}/node_modules/wrangler/bin/wrangler.js`
  const life = spawn(process.execPath, [wrangler, 'deploy', ...args], {
    cwd: projectFolder,
    stdio: 'inherit',
  })
  const [code] = await once(life, 'exit')
  return code ?? 1
}
