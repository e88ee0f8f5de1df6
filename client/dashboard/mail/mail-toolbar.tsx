import { type DeliveryState, isRedrivable } from '../../../protocol/delivery-states.ts'
import { openDialog } from '../actions.ts'
import { Icon } from '../components/icon.tsx'
import { navigate } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { MailSearch } from './mail-search.tsx'
import { catalog, counts } from './mail-store.ts'
import type { MailQuery } from './query.ts'
import { StateFilter } from './state-filter.tsx'
import { sum } from './states.ts'

export function MailToolbar({ query }: { query: MailQuery }) {
  return (
    <header class="orders-tools">
      <div class="panel-head">
        <h2 class="panel-title" id="mails-title">
          Mails
        </h2>
        <MailSearch query={query} />
        <RuleSelect query={query} />
        <Redrive query={query} />
      </div>
      <StateFilter query={query} />
    </header>
  )
}

function RuleSelect({ query }: { query: MailQuery }) {
  const known = catalog.value
  const rules = known.state === 'read' ? known.rules : []
  if (rules.length < 2 && query.rule === null) return null
  const isKnown = rules.some(({ id }) => id === query.rule)
  return (
    <label class="rule-select">
      <span class="unseen">Rule</span>
      <select
        value={query.rule === null ? '' : String(query.rule)}
        onChange={({ currentTarget }) => {
          const rule = currentTarget.value === '' ? null : Number(currentTarget.value)
          navigate(mailsPath({ ...query, rule }))
        }}
      >
        <option value="">Every rule</option>
        {query.rule !== null && !isKnown && (
          <option value={String(query.rule)}>rule {query.rule}</option>
        )}
        {rules.map(({ id, name }) => (
          <option key={id} value={String(id)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Offered where it could find something; how many it would be is asked in the dialog. */
function Redrive({ query }: { query: MailQuery }) {
  const known = counts.value
  // Whoever asks for no state means what waits for them, not what was stopped on purpose.
  const states: readonly DeliveryState[] =
    query.states.length === 0
      ? ['parked', 'unknown']
      : query.states.filter((state) => isRedrivable(state))
  if (known === null || sum(known, states) === 0) return null
  return (
    <button
      type="button"
      class="button"
      onClick={() => openDialog({ kind: 'redrive', query: { ...query, states } })}
    >
      <Icon name="reconnect" />
      Try again…
    </button>
  )
}
