import { query, WINDOW_STEP, windowSize } from '../store.ts'
import type { Sort, SortColumn } from '../view.ts'
import { Icon } from './icon.tsx'

/** What is sorted by first falling: the newest, the dearest, the latest. */
const FALLING_FIRST = new Set<SortColumn>(['id', 'amount', 'updated_at'])

export function sortBy(sort: Sort): void {
  query.value = { ...query.value, sort }
  windowSize.value = WINDOW_STEP
}

export function OrdersHead() {
  return (
    <thead>
      <tr>
        <Head column="id" title="Order" class="id" />
        <Head column="customer_name" title="Customer" class="customer" />
        <th scope="col" class="product">
          Product
        </th>
        <Head column="status" title="Status" class="status" />
        <Head column="amount" title="Amount" class="amount" />
        <Head column="updated_at" title="Updated" class="updated" />
      </tr>
    </thead>
  )
}

type HeadProps = { column: SortColumn; title: string; class: string }

function Head({ column, title, class: className }: HeadProps) {
  const { sort } = query.value
  const sorted = sort.column === column
  const direction = sort.descending ? 'descending' : 'ascending'
  return (
    <th scope="col" class={className} aria-sort={sorted ? direction : 'none'}>
      <button
        type="button"
        class="sort"
        onClick={() =>
          sortBy({ column, descending: sorted ? !sort.descending : FALLING_FIRST.has(column) })
        }
      >
        {title}
        <span class="sort-arrow" data-direction={sorted ? direction : undefined}>
          <Icon name="up" />
        </span>
      </button>
    </th>
  )
}
