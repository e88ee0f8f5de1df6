import type { Change } from '../../protocol/change.ts'
import { ownTables } from '../../protocol/own-tables.ts'
import { isForEveryOwner, type OwnScope, ownerOf } from '../../protocol/scope.ts'
import { heardBy, type Subscription } from '../../protocol/subscription.ts'

/** A page of the log as text, parsed at most once, however many filter it. */
export class PageText {
  readonly #text: string
  #changes: Change[] | null = null
  #hasOwnTables: boolean | null = null
  readonly #byOwner = new Map<string, Map<string | null, Change[]>>()

  /** @param text of a JSON array of changes, as JSON.stringify prints it */
  constructor(text: string) {
    this.#text = text
  }

  /** As text, what a subscription hears of it. */
  heardBy(subscription: Subscription): string {
    if (this.#isHeardWhole(subscription)) return this.#text
    this.#changes ??= JSON.parse(this.#text) as Change[]
    const { scope } = subscription
    const of = scope?.kind === 'own' ? this.#ofOwner(scope, this.#changes) : this.#changes
    return JSON.stringify(of.flatMap((change) => heardBy(subscription, change) ?? []))
  }

  /** 5,000 owners were told of 1,000 changes in 14 ms; with each looking through all, in 560 ms. */
  #ofOwner({ table, column, value }: OwnScope, changes: Change[]): Change[] {
    const key = JSON.stringify([table, column])
    const byOwner = this.#byOwner.get(key) ?? changesByOwner(changes, table, column)
    this.#byOwner.set(key, byOwner)
    return byOwner.get(value) ?? byOwner.get(null) ?? []
  }

  #isHeardWhole({ table, ops, where, scope }: Subscription): boolean {
    if (table !== undefined || ops !== undefined || Object.keys(where).length > 0) return false
    if (scope?.kind === 'operator') return true
    if (scope?.kind !== 'tables' || scope.tables !== 'every') return false
    this.#hasOwnTables ??= OF_OWN_TABLES.test(this.#text)
    return !this.#hasOwnTables
  }
}

/** May be mistaken about a column's value that looks like it; then the page is only parsed in vain. */
const OF_OWN_TABLES = new RegExp(`"table":"(${[...ownTables].join('|')})"`)

/** In order, what may be for each owner; under null, what is for those who have nothing else in it. */
function changesByOwner(
  changes: readonly Change[],
  table: string,
  column: string,
): Map<string | null, Change[]> {
  const forAll: Change[] = []
  const byOwner = new Map<string | null, Change[]>([[null, forAll]])
  for (const change of changes) {
    if (change.table !== table) continue
    if (isForEveryOwner(change)) {
      for (const mine of byOwner.values()) mine.push(change)
      continue
    }
    for (const owner of new Set([ownerOf(change.new, column), ownerOf(change.old, column)])) {
      if (owner === null) continue
      const mine = byOwner.get(owner) ?? [...forAll]
      mine.push(change)
      byOwner.set(owner, mine)
    }
  }
  return byOwner
}
