/**
 * One life of the feed: which epoch it is, whose changes it holds, and who may append.
 *
 * Authoritative on fencing. Must hold: once a term was admitted no lower one appends, whatever
 * it believes of itself; changes of two databases never share an epoch. What fails here is
 * refused with a close code and nothing is written.
 */
export type Life = {
  epoch: string
  /** The database this log is of; null until the first listener opened its link. */
  source: string | null
  /** The highest term seen; 0 before the first. */
  term: number
}

export type Admission =
  | { kind: 'admitted'; life: Life }
  | { kind: 'fenced'; term: number }
  | { kind: 'other_source'; source: string }

export function admit(life: Life, { source, term }: { source: string; term: number }): Admission {
  if (life.source !== null && life.source !== source)
    return { kind: 'other_source', source: life.source }
  // The same term again is the same leader, come back after a broken link.
  if (term < life.term) return { kind: 'fenced', term: life.term }
  return { kind: 'admitted', life: { ...life, source, term } }
}

/**
 * The feed drains in place of a listener: whoever holds a term by now must take a higher one
 * before it appends again. What it has read may be long in the log, and forgotten there.
 * @param newest the highest term that the database has given
 */
export function supersede(life: Life, newest: number): Life {
  return newest < life.term ? life : { ...life, term: newest + 1 }
}

/** A batch counts only on the link of the highest term. */
export function mayAppend(life: Life, term: number): boolean {
  return term === life.term
}

/** Twelve characters of base 36: enough that no two lives of a feed meet. */
export function newEpoch(random: Uint8Array): string {
  return Array.from(random.slice(0, 12), (byte) => (byte % 36).toString(36)).join('')
}
