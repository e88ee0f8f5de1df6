import { fileURLToPath } from 'node:url'

/** The checkout, without a slash at the end. */
export const projectFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** What the local run keeps between runs: the database, the worker's storage, mails, secrets. */
export const stateFolder = `${projectFolder}/.belfry`
