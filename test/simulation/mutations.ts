/**
 * Real decisions, each of which can be replaced by a broken one: the simulation must find every
 * one of them, or it proves nothing about the real ones.
 */
export const mutations = {
  'mark: none': {
    instead: 'The listener sleeps without waiting for those who read "awake".',
    found: /^P12/,
    from: 1,
    within: 500,
  },
  'mark: newest ended': {
    instead: 'The mark is one past the newest transaction that has ended, not a fresh id.',
    found: /^P12/,
    from: 1,
    within: 20_000,
  },
  'fencing off': {
    instead: 'The feed admits every term, and takes the batches of any.',
    found: /^P21/,
    from: 1,
    within: 1_000,
  },
  'duplicates kept': {
    instead: 'The log does not ask whether it has a change already.',
    found: /^P1 .*second offset/,
    from: 1,
    within: 500,
  },
  'delete before ack': {
    instead: 'The outbox is emptied when it is read.',
    found: /^P10/,
    from: 1,
    within: 100,
  },
  'reads on from the last id': {
    instead: 'What is read ahead begins behind the highest id under way, past a late commit.',
    found: /^P(2|12)/,
    from: 1,
    within: 20_000,
  },
  'drain: deletes first': {
    instead: 'The feed deletes what it reads, and appends it then.',
    found: /^P10/,
    from: 1,
    within: 1_000,
  },
  'drain: duplicates kept': {
    instead: 'What the feed reads itself it appends, whether a listener has brought it or not.',
    found: /^P1 .*second offset/,
    from: 1,
    within: 5_000,
  },
  'drain: not from the head': {
    instead: 'The feed reads the newest rows of the outbox and not the oldest.',
    found: /^P2/,
    from: 1,
    within: 5_000,
  },
  'drain: takes no term': {
    instead: 'A listener that froze keeps its say when the feed has drained in its place.',
    found: /^P1 .*second offset/,
    from: 8_000,
    within: 12_000,
  },
  'drain: an old look': {
    instead: 'What the feed appends it read long before, and the log may have been pruned since.',
    found: /^P1 .*second offset/,
    from: 1,
    within: 20_000,
    needs: ['prune', 'kill', 'start'],
  },
  'position without frames': {
    instead: 'A shard sometimes moves its position and tells nobody.',
    found: /not sent|^P3/,
    from: 1,
    within: 100,
  },
  'a window that is never full': {
    instead: 'A shard sends on, whatever was not acknowledged.',
    found: /^P39/,
    from: 1,
    within: 3_000,
  },
  'a slow one skips a frame': {
    instead: 'A subscriber for whom there was no room is caught up from after the frame it missed.',
    found: /not sent|^P3/,
    from: 200,
    within: 500,
  },
  'terms lost in a crash': {
    instead: 'A term is taken in an asynchronous commit.',
    found: /^P13/,
    from: 1,
    within: 500,
  },
  'a lock without a term': {
    instead: 'Only a leader that took a term can be ended by a standby.',
    found: /^nothing came to rest/,
    from: 1,
    within: 5_000,
  },
  'canary in the log': {
    instead: 'The feed takes a beat of the canary for a change like any other.',
    found: /^P70/,
    from: 1,
    within: 100,
  },
  'an old link still speaks': {
    instead: 'A link keeps its say when a new one of its term opens, and the log may be pruned.',
    found: /^P1 .*second offset/,
    // Rare: it takes a stall, a new link of the same term, and a pruning between the two.
    from: 14_500,
    within: 1_000,
    needs: ['stall', 'cut', 'prune', 'flush'],
  },
} as const satisfies { [name: string]: Broken }

type Broken = {
  /** What happens instead. */
  instead: string
  /** The violation that shows it. */
  found: RegExp
  /** Within so many schedules from this seed on. */
  from: number
  within: number
  /** Kinds of faults (schedule.ts) that are in each of these schedules: without them it is rare. */
  needs?: readonly string[]
}

export type Mutation = keyof typeof mutations

export function faultsNeeded(mutation: Mutation | null): readonly string[] {
  const broken: Broken | null = mutation && mutations[mutation]
  return broken?.needs ?? []
}

export function isMutation(name: string): name is Mutation {
  return Object.hasOwn(mutations, name)
}
