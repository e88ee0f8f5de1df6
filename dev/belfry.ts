import { directAddress } from '../listener/address.ts'
import type { Child, Voice } from './child.ts'
import { type Claim, claimFolder } from './claim.ts'
import { buildDashboard, isDashboardStale, localDashboard, tellDashboard } from './dashboard.ts'
import { databaseSource, migrateDatabase, serverVersion } from './database.ts'
import { spokenAddress } from './database-url.ts'
import { startDemo } from './demo.ts'
import { Failure } from './failure.ts'
import { projectFolder, stateFolder } from './folders.ts'
import { listenerRole, superviseListener } from './listener.ts'
import { ensureLogins, type Logins } from './logins.ts'
import { serveMailbox } from './mailbox.ts'
import { serveNeonEndpoint } from './neon-endpoint.ts'
import type { Options } from './options.ts'
import { freePort, isBusy, localhost } from './ports.ts'
import { supervisePostgres } from './postgres.ts'
import type { WebhookTarget } from './resend-webhooks.ts'
import type { Run } from './run.ts'
import { insertSamples } from './samples.ts'
import { type SignInPlan, serveSignIn } from './sign-in.ts'
import { keptSecrets, type LocalRun, LocalRunFile, writeWorkerEnv } from './state-files.ts'
import { type Colour, logOf, paint, print, step } from './terminal.ts'
import { superviseWorker } from './worker.ts'

/**
 * Everything of the local run, started in the order in which things need each other; the run
 * stops them in the reverse order. Each part is added to the run before it is waited for, so that
 * a Ctrl-C in the middle finds it.
 */
export async function startBelfry(options: Options, run: Run): Promise<LocalRun> {
  const { port, demo } = options
  const claim = await claimThisFolder(run)
  await requireFree(port)
  const file = new LocalRunFile(stateFolder)
  const { linkSecret, adminToken, resendWebhookSecret, authSecret } = keptSecrets(stateFolder)
  const building = isDashboardStale('local') ? buildDashboard('local', run.ending) : null
  building?.catch(() => {}) // It is awaited below; until then a failure is not unhandled.

  const database = await startDatabase(options.databaseUrl, run, voice('postgres', 'blue'))
  await prepareDatabase(database.direct)
  const logins = await loginsOf(database, options.databaseUrl === null)
  const neonEndpoint = await startNeonEndpoint(logins.worker, port + 3, run)
  const url = `http://${localhost}:${port}`
  const mail = await startMail(
    options,
    { url: `${url}/webhooks/resend`, secret: resendWebhookSecret },
    run,
  )
  const signInUrl = await startSignIn(
    { port: port + 5, dashboardPort: port, databaseUrl: database.direct, secret: authSecret },
    run,
  )
  await step('dashboard', async () => {
    await building
    tellDashboard(signInUrl)
    return { said: building ? 'built' : 'as built before', result: null }
  })

  const worker = {
    port,
    inspectorPort: await freePort(port + 4),
    storageFolder: `${stateFolder}/worker/${await databaseSource(database.direct)}`,
    envFile: writeWorkerEnv(stateFolder, {
      DATABASE_URL: logins.worker,
      NEON_ENDPOINT: neonEndpoint,
      LINK_SECRET: linkSecret,
      ADMIN_TOKEN: adminToken,
      AUTH_SECRET: authSecret,
      PUBLIC_URL: options.publicUrl ?? url,
      ANONYMOUS_SCOPES: '',
      ...options.doors,
      ...mail.variables,
    }),
    assetsFolder: localDashboard,
    stateFolder,
  }
  await step('worker', async () => {
    await startChild(run, superviseWorker(worker, voice('worker', 'cyan')))
    return { said: url, result: null }
  })

  const listener = {
    databaseUrl: logins.listener,
    feedUrl: url,
    linkSecret,
    port: await freePort(port + 2),
  }
  const listenerUrl = `http://${localhost}:${listener.port}`
  await step('listener', async () => {
    await startChild(run, superviseListener(listener, voice('listener', 'magenta')))
    return { said: await listenerRole(listenerUrl), result: null }
  })

  if (demo) await run.add(startDemo(database.direct, run.ending, logOf('demo', 'green')))
  await run.add({ stop: () => file.remove() })
  return file.publish({
    url,
    databaseUrl: database.direct,
    adminToken,
    mailboxUrl: mail.url,
    listenerUrl,
    signInUrl,
  })

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

async function requireFree(port: number): Promise<void> {
  if (!(await isBusy(port))) return
  const other = port === 8800 ? 8900 : 8800
  throw new Failure(
    `Port ${port} is in use by another program. Stop that one, or choose another port: PORT=${other} npm start`,
  )
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
  const samples = Object.entries(await insertSamples(direct)).filter(([, count]) => count > 0)
  if (samples.length > 0) {
    const said = samples.map(([table, count]) => `${count} ${table}`).join(', ')
    await step('samples', async () => ({ said, result: null }))
  }
}

/** On a database of a person's own everyone logs in as that person said. */
async function loginsOf(
  { url, direct }: { url: string; direct: string },
  isEmbedded: boolean,
): Promise<Logins> {
  return isEmbedded ? ensureLogins(direct) : { worker: url, listener: direct }
}

async function startNeonEndpoint(databaseUrl: string, port: number, run: Run): Promise<string> {
  return step('neon', async () => {
    const server = await serveNeonEndpoint(databaseUrl, port)
    await run.add({ stop: server.close })
    return { said: server.url, result: server.url }
  })
}

async function startSignIn(plan: SignInPlan, run: Run): Promise<string> {
  return step('sign-in', async () => {
    const server = await serveSignIn(plan)
    await run.add({ stop: server.close })
    return { said: server.url, result: server.url }
  })
}

async function startMail(
  { mail, port }: Options,
  webhooks: WebhookTarget,
  run: Run,
): Promise<{ url: string | null; variables: Record<string, string> }> {
  const variables = { MAIL_FROM: mail.from, ALERT_RECIPIENTS: mail.recipients }
  if (mail.kind === 'resend')
    return {
      url: null,
      variables: {
        ...variables,
        RESEND_API_KEY: mail.apiKey,
        ...(mail.webhookSecret === null ? {} : { RESEND_WEBHOOK_SECRET: mail.webhookSecret }),
      },
    }
  const log = logOf('mailbox', 'yellow')
  return step('mailbox', async () => {
    const server = await serveMailbox({
      file: `${stateFolder}/mails.jsonl`,
      port: port + 1,
      webhooks,
      onMail: ({ to, subject }) => log(`${to.join(', ')}: ${subject}`),
    })
    await run.add({ stop: server.close })
    return {
      said: server.url,
      result: {
        url: server.url,
        variables: {
          ...variables,
          RESEND_API_KEY: 're_local',
          RESEND_BASE_URL: server.url,
          RESEND_WEBHOOK_SECRET: webhooks.secret,
        },
      },
    }
  })
}
