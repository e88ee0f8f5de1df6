import type pg from 'pg'
import type { Chance } from './chance.ts'

/**
 * One thing that writers do, by name and weight. It runs inside a transaction that its writer has
 * begun; 'roll back' asks for it to be undone.
 */
export type Kind = {
  name: string
  weight: number
  run(sql: pg.Client, chance: Chance): Promise<'commit' | 'roll back'>
}

export type Act = (sql: pg.Client, chance: Chance) => Promise<unknown>

export function commits(name: string, weight: number, act: Act): Kind {
  return {
    name,
    weight,
    async run(sql, chance) {
      await act(sql, chance)
      return 'commit'
    },
  }
}
