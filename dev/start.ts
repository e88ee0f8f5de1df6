import { startBelfry } from './belfry.ts'
import { help, readOptions } from './options.ts'
import { Run } from './run.ts'
import type { LocalRun } from './state-files.ts'
import { eraseProgress, paint, print, printError } from './terminal.ts'

/** `npm start`: all of Belfry on this machine, until Ctrl-C. */
// Secrets, mails and the worker's storage: whatever it writes is its owner's alone.
process.umask(0o077)
const run = new Run()
try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === null) print(help)
  else {
    stopOnSignals()
    const local = await startBelfry(options, run)
    printAddresses(local, options.databaseUrl !== null)
  }
} catch (error) {
  // A part that was cut off by Ctrl-C; whoever asked for that also ends the process.
  if (!run.ending.aborted) {
    printError(error)
    await run.end()
    process.exit(1)
  }
}

/**
 * The first signal ends in good order, a second one at once. npm passes on the Ctrl-C that the
 * terminal has sent to us already, so what comes within a second is the same one.
 */
function stopOnSignals(): void {
  const echoMs = 1_000
  let askedAt: number | null = null
  const onSignal = () => {
    if (askedAt === null) {
      askedAt = Date.now()
      eraseProgress()
      print(paint('dim', 'Stopping; Ctrl-C again does not wait.'))
      void run.end().then(() => {
        print(paint('dim', 'Everything has stopped.'))
        process.exit(0)
      })
    } else if (Date.now() - askedAt > echoMs) {
      run.kill()
      process.exit(130)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
}

function printAddresses(local: LocalRun, isOwnDatabase: boolean): void {
  const database = isOwnDatabase ? '"$DATABASE_URL"' : local.databaseUrl
  const rows: [string, string | null][] = [
    ['dashboard', local.url],
    ['API docs', `${local.url}/docs`],
    ['mailbox', local.mailboxUrl],
    ['metrics', `${local.listenerUrl}/metrics`],
    ['database', `psql ${database}`],
    ['changes', 'npm run belfry -- tail'],
    ['an inbox', 'npm run belfry -- inbox --user 1'],
    ['a token', 'npm run -s belfry -- token'],
  ]
  print()
  for (const [name, value] of rows) if (value) print(`  ${name.padEnd(11)} ${paint('bold', value)}`)
  print()
  print(`  ${paint('dim', 'Ctrl-C stops everything.')}`)
  print()
}
