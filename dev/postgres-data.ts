import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from './failure.ts'
import type { Account } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { runTool } from './tool.ts'

/**
 * Not `belfry`, which the database is called: a role of that name has the schema `belfry` first in
 * its search path, so the tables a person creates would land among Belfry's own.
 */
export const superuser = 'postgres'
export const password = 'belfry'
export const databaseName = 'belfry'

/**
 * Makes a data folder. A folder that exists is complete: initdb works in one beside it, which
 * gets the name only at the end. One that was cut off is simply made again.
 */
export async function initialise(
  { initdb }: PostgresBinaries,
  account: Account,
  data: string,
  ending: AbortSignal,
): Promise<void> {
  const draft = `${data}.new`
  const passwordFile = `${data}.password`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`)
  for (const path of [draft, passwordFile]) account.own(path)
  try {
    const { succeeded, output } = await runTool(
      account.launch(initdb, draft, [
        ...['--pgdata', draft, '--username', superuser, '--pwfile', passwordFile],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
        ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
      ]),
      ending,
    )
    if (!succeeded) throw new Failure(`PostgreSQL's initdb could not make ${data}:\n${output}`)
    renameSync(draft, data)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** A data folder is of one major version; another's server does not start on it. */
export function requireMajor({ major }: PostgresBinaries, data: string): void {
  const made = readFileSync(`${data}/PG_VERSION`, 'utf8').trim()
  if (made !== String(major))
    throw new Failure(
      `${data} was made by PostgreSQL ${made}, and this is ${major}. Delete that folder to start afresh.`,
    )
}
