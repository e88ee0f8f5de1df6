import type { DeliveryState } from '../../../protocol/delivery-states.ts'
import { formatCount } from '../format.ts'
import { navigate } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { counts } from './mail-store.ts'
import type { MailQuery } from './query.ts'
import { groupOf, sum } from './states.ts'

/** Of the station that was chosen, each state by itself. */
export function StateFilter({ query }: { query: MailQuery }) {
  const group = groupOf(query.states)
  if (group === null || group.states.length === 1) return null
  const isOne = query.states.length === 1
  return (
    <fieldset class="filters">
      <legend class="unseen">State</legend>
      <StateChip query={query} states={group.states} name="all of these" pressed={!isOne} />
      {group.states.map((state) => (
        <StateChip
          key={state}
          query={query}
          states={[state]}
          name={state}
          pressed={isOne && query.states[0] === state}
        />
      ))}
    </fieldset>
  )
}

type ChipProps = {
  query: MailQuery
  states: readonly DeliveryState[]
  name: string
  pressed: boolean
}

function StateChip({ query, states, name, pressed }: ChipProps) {
  const known = counts.value
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={pressed}
      onClick={() => navigate(mailsPath({ ...query, states }))}
    >
      {name} <span class="chip-count">{known === null ? '' : formatCount(sum(known, states))}</span>
    </button>
  )
}
