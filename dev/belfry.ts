import { directAddress } from '../listener/address.ts'
import type { Child, Voice } from './child.ts'
import { type Claim, claimFolder } from './claim.ts'
import { buildDashboard, isDashboardStale } from './dashboard.ts'
import { databaseSource, migrateDatabase, serverVersion } from './database.ts'
import { spokenAddress } from './database-url.ts'
import { runDemo } from './demo.ts'
import { Failure } from './failure.ts'
import { projectFolder, stateFolder } from './folders.ts'
import { listenerRole, superviseListener } from './listener.ts'
import { serveMailbox } from './mailbox.ts'
import { serveNeonEndpoint } from './neon-endpoint.ts'
import type { Options } from './options.ts'
import { freePort, isBusy, localhost } from './ports.ts'
import { supervisePostgres } from './postgres.ts'
import type { Run } from './run.ts'
import { insertSampleOrders } from './sample-orders.ts'
import { keptSecrets, type LocalRun, LocalRunFile, writeWorkerEnv } from './state-files.ts'
import { type Colour, logOf, paint, print, step } from './terminal.ts'
import { superviseWorker } from './worker.ts'

/**
 * Everything of the local run, started in the order in which things need each other; the run
 * stops them in the reverse order. Each part is added to the run before it is waited for, so that
 * a Ctrl-C in the middle finds it.
 */
export async function startBelfry(options: Options, run: Run): Promise<LocalRun> {
  const claim = await claimThisFolder(run)
  if (await isBusy(options.port))
    throw new Failure(
      `Port ${options.port} is in use by another program. Stop that one, or choose another port: PORT=${options.port === 8800 ? 8900 : 8800} npm start`,
    )
  const file = new LocalRunFile(stateFolder)
  const secrets = keptSecrets(stateFolder)
  const building = isDashboardStale() ? buildDashboard(run.ending) : null
  building?.catch(() => {}) // It is awaited below; until then a failure is not unhandled.

  const database = await startDatabase(options.databaseUrl, run, voice('postgres', 'blue'))
  await prepareDatabase(database.direct)
  const neon = await step('neon', async () => {
    const server = await serveNeonEndpoint(database.url, options.port + 3)
    await run.add({ stop: server.close })
    return { said: server.url, result: server }
  })
  const mail = await startMail(options, run)
  await step('dashboard', async () => {
    await building
    return { said: building ? 'built' : 'as built before', result: null }
  })

  const url = `http://${localhost}:${options.port}`
  const envFile = writeWorkerEnv(stateFolder, {
    DATABASE_URL: database.url,
    NEON_ENDPOINT: neon.url,
    LINK_SECRET: secrets.linkSecret,
    ADMIN_TOKEN: secrets.adminToken,
    ...mail.variables,
  })
  const source = await databaseSource(database.direct)
  const inspectorPort = await freePort(options.port + 4)
  await step('worker', async () => {
    await startChild(
      run,
      superviseWorker(
        {
          port: options.port,
          inspectorPort,
          storageFolder: `${stateFolder}/worker/${source}`,
          envFile,
          stateFolder,
        },
        voice('worker', 'cyan'),
      ),
    )
    return { said: url, result: null }
  })
  const listenerPort = await freePort(options.port + 2)
  const listenerUrl = `http://${localhost}:${listenerPort}`
  await step('listener', async () => {
    const { linkSecret } = secrets
    await startChild(
      run,
      superviseListener(
        { databaseUrl: database.url, feedUrl: url, linkSecret, port: listenerPort },
        voice('listener', 'magenta'),
      ),
    )
    return { said: await listenerRole(listenerUrl), result: null }
  })

  if (options.demo) {
    const demo = runDemo(database.direct, run.ending, logOf('demo', 'green'))
    await run.add({ stop: () => demo })
  }
  const { adminToken } = secrets
  const addresses = {
    url,
    databaseUrl: database.direct,
    adminToken,
    mailboxUrl: mail.url,
    listenerUrl,
  }
  await run.add({ stop: () => file.remove() })
  return file.publish(addresses)

  function voice(name: keyof LocalRun['pids'], colour: Colour): Voice {
    const log = logOf(name, colour)
    return {
      log,
      say: (text) => log(paint('bold', text)),
      onPid: (pid) => {
        file.setPid(name, pid)
        if (name !== 'postgres') claim.record(name, pid) // Its own pid file tells of it.
      },
    }
  }
}

async function claimThisFolder(run: Run): Promise<Claim> {
  const { claim, stopped } = await claimFolder(stateFolder, 'dev/start.ts', projectFolder)
  await run.add({ stop: claim.release })
  if (stopped.length > 0) print(`Stopped what an earlier run has left: ${stopped.join(', ')}.`)
  return claim
}

async function startChild(run: Run, child: Child): Promise<void> {
  await run.add(child)
  await child.ready
}

/** @returns the address for the worker, which may be pooled, and the direct one */
async function startDatabase(
  given: string | null,
  run: Run,
  voice: Voice,
): Promise<{ url: string; direct: string }> {
  return step('postgres', async () => {
    if (given === null) {
      // Settings for another server, PGSSLMODE say, must not reach this one's clients.
      for (const name of Object.keys(process.env))
        if (/^PG[A-Z]/.test(name)) delete process.env[name]
      const { url, child } = await supervisePostgres(stateFolder, run.ending, voice)
      await startChild(run, child)
      return {
        said: `${await serverVersion(url)} on ${new URL(url).host}`,
        result: { url, direct: url },
      }
    }
    const address = directAddress(given)
    if (!address.ok) throw new Failure(address.sentence)
    const version = await serverVersion(address.url)
    return {
      said: `${version} at ${spokenAddress(address.url)}`,
      result: { url: given, direct: address.url },
    }
  })
}

async function prepareDatabase(direct: string): Promise<void> {
  await step('migrations', async () => {
    const { applied, known } = await migrateDatabase(direct)
    return { said: applied > 0 ? `${applied} of ${known} applied` : 'up to date', result: null }
  })
  const samples = await insertSampleOrders(direct)
  if (samples > 0)
    await step('orders', async () => ({ said: `${samples} to begin with`, result: null }))
}

async function startMail(
  { mail, port }: Options,
  run: Run,
): Promise<{ url: string | null; variables: Record<string, string> }> {
  const variables = { MAIL_FROM: mail.from, ALERT_RECIPIENTS: mail.recipients }
  if (mail.kind === 'resend')
    return { url: null, variables: { ...variables, RESEND_API_KEY: mail.apiKey } }
  const log = logOf('mailbox', 'yellow')
  return step('mailbox', async () => {
    const server = await serveMailbox(`${stateFolder}/mails.jsonl`, port + 1, ({ to, subject }) =>
      log(`${to.join(', ')}: ${subject}`),
    )
    await run.add({ stop: server.close })
    return {
      said: server.url,
      result: {
        url: server.url,
        variables: { ...variables, RESEND_API_KEY: 're_local', RESEND_BASE_URL: server.url },
      },
    }
  })
}
