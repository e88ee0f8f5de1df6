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
  'position without frames': {
    instead: 'A shard sometimes moves its position and tells nobody.',
    found: /not sent|^P3/,
    from: 1,
    within: 100,
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
  'an old link still speaks': {
    instead: 'A link keeps its say when a new one of its term opens, and the log may be pruned.',
    found: /^P1 .*second offset/,
    // Rare: it takes a stall, a new link of the same term, and a pruning between the two.
    from: 45_000,
    within: 1_000,
  },
} as const

export type Mutation = keyof typeof mutations

export function isMutation(name: string): name is Mutation {
  return Object.hasOwn(mutations, name)
}
