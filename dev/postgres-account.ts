import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Launch } from './child.ts'
import { Failure } from './failure.ts'

/**
 * Who runs PostgreSQL.
 *
 * PostgreSQL refuses to run as root. So, as root, it runs as the system's user `postgres`, who is
 * made if need be, or as whoever owns the data already. That user often cannot even reach the
 * checkout (a home directory, or one made by `mktemp -d`, has mode 0700). Then it keeps one right
 * of root's, to pass by file permissions, which `setpriv` can grant.
 */
export type Account = {
  launch: (binary: string, cwd: string, args: string[]) => Launch
  /** Hands a path over to the account. */
  own: (path: string) => void
}

type User = { uid: number; gid: number }

const fileRight = '-all,+dac_override'

export function postgresAccount(binary: string, dataFolder: string): Account {
  const owner = existsSync(dataFolder) ? statSync(dataFolder) : null
  const myself = process.getuid?.()
  // A locale of its own: macOS lets PostgreSQL start only with one, and its messages stay English.
  const env = { ...process.env, LC_ALL: 'C' }
  if (myself !== 0) {
    if (owner && myself !== undefined && owner.uid !== myself)
      throw new Failure(
        `${dataFolder} belongs to another user (${owner.uid}), as Belfry was run by that one before. Remove it (sudo rm -r ${dirname(dataFolder)}) and start again.`,
      )
    return {
      launch: (command, cwd, args) => ({ command, args, cwd, env }),
      own: () => {},
    }
  }

  const user = owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : postgresUser()
  const own = (path: string) => chownSync(path, user.uid, user.gid)
  if (canReach(user, binary, dirname(dataFolder)))
    return { launch: (command, cwd, args) => ({ command, args, cwd, env, ...user }), own }
  if (spawnSync('setpriv', [...passingPermissions(user), binary, '--version']).status !== 0)
    throw new Failure(
      `PostgreSQL does not run as root, and the user it would run as cannot reach ${dirname(dataFolder)}. Run as an ordinary user, move this folder to where everybody may look (such as /srv), or set DATABASE_URL.`,
    )
  return {
    launch: (binary, cwd, args) => ({
      command: 'setpriv',
      args: [...passingPermissions(user), binary, ...args],
      cwd,
      env,
    }),
    own,
  }
}

function passingPermissions({ uid, gid }: User): string[] {
  return [
    ...['--securebits', '+no_setuid_fixup'],
    ...['--reuid', String(uid), '--regid', String(gid), '--clear-groups'],
    ...['--bounding-set', fileRight, '--inh-caps', fileRight, '--ambient-caps', fileRight],
  ]
}

function canReach(user: User, binary: string, folder: string): boolean {
  const { status } = spawnSync(
    '/bin/sh',
    ['-c', 'test -x "$1" && test -x "$2"', 'sh', binary, folder],
    user,
  )
  return status === 0
}

function postgresUser(): User {
  const known = lookUp()
  if (known) return known
  spawnSync('groupadd', ['--system', 'postgres'])
  spawnSync('useradd', ['--system', '--gid', 'postgres', '--no-create-home', 'postgres'])
  const made = lookUp()
  if (made) return made
  throw new Failure(
    'PostgreSQL does not run as root, and no user `postgres` could be made for it. Run as an ordinary user, or set DATABASE_URL.',
  )
}

function lookUp(): User | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' })
    return status === 0 ? Number(stdout) : null
  })
  return typeof uid === 'number' && typeof gid === 'number' ? { uid, gid } : null
}
