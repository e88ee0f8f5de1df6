import { InboxUser, type WorkerOfUsers } from '../../support/inbox-user.ts'
import { keepsUp } from './load.ts'
import { STATEMENTS, type StatementName, type Statements, type Work } from './statements.ts'

/** How much is stored for a person, and what they are like. */
export const GROUPS = [
  { name: 'few, keeps up', rich: false, keepsUp: true },
  { name: 'many, keeps up', rich: true, keepsUp: true },
  { name: 'few, never looks', rich: false, keepsUp: false },
  { name: 'many, never looks', rich: true, keepsUp: false },
] as const
export type Group = (typeof GROUPS)[number]
export type GroupName = Group['name']

export const STEPS = {
  first: 'first read, its object empty',
  list: 'read again',
  open: 'open',
  mark: 'mark one as read',
} as const
export type Step = keyof typeof STEPS
export type StepTimes = Record<Step, number[]>
export type StatementWork = Record<StatementName, Work[]>

/** @returns so many of a group, spread evenly over all of it; `shift` gives others */
export function pick(
  { rich: isRich, keepsUp: wants }: Group,
  { people, rich }: { people: number; rich: number },
  count: number,
  shift: number,
): number[] {
  const [from, to] = isRich ? [1, rich] : [rich + 1, people]
  const step = Math.floor((to - from + 1) / count)
  if (step < 8) throw new Error(`${count} of the people from ${from} to ${to} are too many`)
  return Array.from({ length: count }, (_, index) => {
    const person = from + index * step + shift * 2
    return keepsUp(person) === wants ? person : person + 1
  })
}

/** Each step by itself, one after another, in milliseconds; the groups take turns. */
export async function visit(
  worker: WorkerOfUsers,
  picked: ReadonlyMap<GroupName, readonly number[]>,
): Promise<Map<GroupName, StepTimes>> {
  const found = new Map<GroupName, StepTimes>()
  for (const name of picked.keys()) found.set(name, { first: [], list: [], open: [], mark: [] })
  const most = Math.max(...[...picked.values()].map(({ length }) => length))
  for (let index = 0; index < most; index++)
    for (const [name, people] of picked) {
      const id = people[index]
      if (id === undefined) continue
      const times = found.get(name) as StepTimes
      const person = await InboxUser.signIn(id, worker)
      const { notifications } = await timed(times.first, () => person.list())
      const newest = notifications[0]
      if (newest === undefined || newest.read)
        throw new Error(`person ${id} has nothing new: ${JSON.stringify(notifications[0])}`)
      await timed(times.list, () => person.list())
      const opened = await timed(times.open, () => person.open())
      if (opened.counts.unseen !== 0)
        throw new Error(`person ${id} has opened the list, and ${opened.counts.unseen} are unseen`)
      const { notification } = await timed(times.mark, () => person.read(newest.id))
      if (!notification.read) throw new Error(`notification ${newest.id} is not read`)
    }
  return found
}

/** The same in Postgres alone. */
export async function ask(
  statements: Statements,
  picked: ReadonlyMap<GroupName, readonly number[]>,
): Promise<Map<GroupName, StatementWork>> {
  const found = new Map<GroupName, StatementWork>()
  const names = Object.keys(STATEMENTS) as StatementName[]
  // A session reads catalogs before its first of each.
  for (const name of names) await statements.measure(name, [...picked.values()][0]?.[0] ?? 1)
  const most = Math.max(...[...picked.values()].map(({ length }) => length))
  for (let index = 0; index < most; index++)
    for (const [group, people] of picked) {
      const id = people[index]
      if (id === undefined) continue
      const work = found.get(group) ?? { window: [], open: [], mark: [] }
      found.set(group, work)
      for (const name of names) work[name].push(await statements.measure(name, id))
    }
  return found
}

/** Everyone reads, opens and marks, so many at once. @returns how many a second */
export async function everyone(worker: WorkerOfUsers, ids: readonly number[], atOnce: number) {
  const began = performance.now()
  const waiting = [...ids]
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const person = await InboxUser.signIn(id, worker)
        const { notifications } = await person.list()
        await person.open()
        await person.read(notifications[0]?.id ?? 0)
      }
    }),
  )
  return (ids.length * 1000) / (performance.now() - began)
}

async function timed<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  times.push(performance.now() - began)
  return result
}
