import type { Life, ToldByMail, ToldInApp, Unwritten, Written } from './life.ts'

/** Who was told of a version. */
export type Told =
  | { kind: 'mail'; at: string; mail: ToldByMail }
  | { kind: 'inbox'; at: string; notification: ToldInApp }

/** A version as the page tells it, or several that were made by SQL. */
export type Chapter =
  | { kind: 'written'; key: string; entry: Written; told: readonly Told[] }
  | { kind: 'sql'; key: string; entry: Unwritten; told: readonly Told[] }

/** Within so many milliseconds of its change a mail has mostly gone out. */
const SOON_MS = 5_000

/**
 * The life of an order, newest first, with who was told beside the version that they were told of.
 * Where that is not known they stand beside the one that was there by then.
 */
export function chapters(life: Life): Chapter[] {
  const newestFirst = life.versions.toReversed()
  const told = new Map<Written | Unwritten, Told[]>(newestFirst.map((entry) => [entry, []]))
  for (const each of everyoneTold(life)) {
    const place = placeOf(each, newestFirst)
    if (place) told.get(place)?.push(each)
  }
  return newestFirst.map((entry): Chapter => {
    const heard = (told.get(entry) ?? []).sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    return isUnwritten(entry)
      ? { kind: 'sql', key: `sql ${entry.versions[0]}`, entry, told: heard }
      : { kind: 'written', key: `${entry.request} ${entry.version}`, entry, told: heard }
  })
}

/** As the deletion found it: all that is known of one that is gone. */
export function lastKnown({ versions }: Life): Readonly<Record<string, unknown>> {
  const last = versions.at(-1)
  if (!last || isUnwritten(last) || last.action !== 'delete') return {}
  return Object.fromEntries(
    Object.entries(last.changed).map(([column, pair]) => [column, beforeAndAfter(pair)[0]]),
  )
}

/** @returns undefined for what is not kept */
export function beforeAndAfter(pair: unknown): [before: unknown, after: unknown] {
  const [before, after] = Array.isArray(pair) ? pair : []
  return [before, after]
}

function isUnwritten(entry: Written | Unwritten): entry is Unwritten {
  return 'versions' in entry
}

function placeOf(told: Told, newestFirst: readonly (Written | Unwritten)[]) {
  const version = told.kind === 'mail' ? told.mail.version : told.notification.version
  const at = Date.parse(told.at)
  if (version !== null) {
    const known = newestFirst.find((entry) => covers(entry, version))
    if (known) return known
  }
  const index = newestFirst.findIndex((e) => !isUnwritten(e) && Date.parse(e.at) <= at)
  const last = newestFirst[index] ?? newestFirst.at(-1)
  const after = newestFirst[index - 1]
  // When SQL was at work after that nobody knows; what came much later was more likely of that.
  const isLater = last && !isUnwritten(last) && at - Date.parse(last.at) > SOON_MS
  return isLater && after && isUnwritten(after) ? after : last
}

function covers(entry: Written | Unwritten, version: number): boolean {
  if (!isUnwritten(entry)) return entry.version === version
  const [first, last] = entry.versions
  return first <= version && version <= last
}

function everyoneTold({ mails, notifications }: Life): Told[] {
  return [
    ...mails.map((mail): Told => ({ kind: 'mail', at: mail.at, mail })),
    ...notifications.map(
      (notification): Told => ({
        kind: 'inbox',
        at: notification.delivered_at ?? '',
        notification,
      }),
    ),
  ]
}
