import { formatCount } from '../format.ts'
import { type Status, statuses } from '../order.ts'
import { pane, query, view, WINDOW_STEP, windowSize } from '../store.ts'
import type { SortColumn } from '../view.ts'
import { Icon } from './icon.tsx'
import { sortBy } from './orders-head.tsx'

const SEARCH_ID = 'search'

export function focusSearch(): void {
  pane.value = 'orders'
  // After the draw that may have to show it first.
  requestAnimationFrame(() => {
    const field = document.getElementById(SEARCH_ID) as HTMLInputElement | null
    field?.focus()
    field?.select()
  })
}

export function OrdersToolbar() {
  return (
    <header class="orders-tools">
      <div class="panel-head">
        <h2 class="panel-title" id="orders-title">
          Orders
        </h2>
        <Search />
        <SortSelect />
      </div>
      <StatusFilter />
    </header>
  )
}

function Search() {
  const set = (text: string) => {
    query.value = { ...query.value, text }
    windowSize.value = WINDOW_STEP
  }
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">Search by customer, product or #id</span>
      <input
        id={SEARCH_ID}
        type="search"
        placeholder="Customer, product or #id"
        autocomplete="off"
        spellcheck={false}
        value={query.value.text}
        onInput={({ currentTarget }) => set(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          set('')
          event.currentTarget.blur()
        }}
      />
      <kbd>/</kbd>
    </label>
  )
}

function StatusFilter() {
  const { counts, matchedText } = view.value
  return (
    <fieldset class="filters">
      <legend class="unseen">Status</legend>
      <FilterChip status={null} count={matchedText} />
      {statuses.map((status) => (
        <FilterChip key={status} status={status} count={counts[status]} />
      ))}
    </fieldset>
  )
}

function FilterChip({ status, count }: { status: Status | null; count: number }) {
  const chosen = query.value.status === status
  return (
    <button
      type="button"
      class="chip"
      data-status={status ?? 'all'}
      aria-pressed={chosen}
      onClick={() => {
        query.value = { ...query.value, status: chosen ? null : status }
        windowSize.value = WINDOW_STEP
      }}
    >
      {status ?? 'all'} <span class="chip-count">{formatCount(count)}</span>
    </button>
  )
}

const sorts: [string, SortColumn, boolean][] = [
  ['Newest', 'id', true],
  ['Oldest', 'id', false],
  ['Last updated', 'updated_at', true],
  ['Customer', 'customer_name', false],
  ['Status', 'status', false],
  ['Largest amount', 'amount', true],
  ['Smallest amount', 'amount', false],
]

/** Stands in for the column heads where there is no room for them. */
function SortSelect() {
  const { column, descending } = query.value.sort
  const index = sorts.findIndex(([, c, d]) => c === column && d === descending)
  return (
    <label class="sort-select">
      <span class="unseen">Sort by</span>
      <select
        value={String(index)}
        onChange={({ currentTarget }) => {
          const chosen = sorts[Number(currentTarget.value)]
          if (chosen) sortBy({ column: chosen[1], descending: chosen[2] })
        }}
      >
        {sorts.map(([title], each) => (
          <option key={title} value={String(each)}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}
