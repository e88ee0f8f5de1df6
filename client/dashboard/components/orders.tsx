import { useMemo } from 'preact/hooks'
import { describe } from '../../sdk/belfry.ts'
import { openDialog } from '../actions.ts'
import { formatCount } from '../format.ts'
import { useGlide } from '../glide.ts'
import { plural, sentence } from '../sentences.ts'
import {
  connection,
  freshness,
  marks,
  ordersRefusal,
  query,
  snapshotRead,
  view,
  WINDOW_STEP,
  windowSize,
} from '../store.ts'
import { ForOthers } from './for-others.tsx'
import { OrderRow } from './order-row.tsx'
import { OrdersHead } from './orders-head.tsx'
import { OrdersToolbar } from './orders-toolbar.tsx'

export function Orders() {
  return (
    <section class="panel orders" id="orders" aria-labelledby="orders-title" tabIndex={-1}>
      <OrdersToolbar />
      <OrdersTable />
      <OrdersFoot />
    </section>
  )
}

function OrdersTable() {
  const { shown, gone } = view.value
  const body = useGlide<HTMLTableSectionElement>(shown.map(({ id }) => id))
  if (shown.length === 0) return <OrdersEmpty />
  return (
    <table class="orders-table" aria-label="Orders">
      <OrdersHead />
      <tbody ref={body}>
        {shown.map((order) => (
          <OrderRow
            key={order.id}
            order={order}
            mark={marks.value.get(order.id)}
            gone={gone.has(order.id)}
          />
        ))}
      </tbody>
    </table>
  )
}

function OrdersFoot() {
  const { shown, matched, total } = view.value
  const more = matched > windowSize.value
  const count = useMemo(() => {
    if (total === 0) return ''
    if (matched < total) return `${formatCount(matched)} of ${plural(total, 'order', 'orders')}`
    return plural(total, 'order', 'orders')
  }, [matched, total])
  if (total === 0 || shown.length === 0) return null
  return (
    <footer class="orders-foot">
      <span data-test="order-count">{count}</span>
      {more && (
        <>
          <span>the first {formatCount(windowSize.value)} are shown</span>
          <button
            type="button"
            class="button more"
            onClick={() => {
              windowSize.value += WINDOW_STEP
            }}
          >
            Show {formatCount(Math.min(WINDOW_STEP, matched - windowSize.value))} more
          </button>
        </>
      )}
    </footer>
  )
}

function OrdersEmpty() {
  const { total } = view.value
  const here = connection.value
  const refusal = ordersRefusal.value
  if (refusal !== null) return <ForOthers what="The orders are not open to you" refusal={refusal} />
  if (total === 0 && here.state === 'closed')
    return (
      <div class="empty">
        <p class="empty-title">No orders to show</p>
        <p>{sentence(describe(here.reason))}</p>
      </div>
    )
  if (freshness.value.state === 'loading')
    return (
      <div class="empty" data-test="orders-loading">
        <p class="empty-title">Reading the orders…</p>
        <p>{snapshotRead.value > 0 && `${formatCount(snapshotRead.value)} so far`}</p>
      </div>
    )
  if (total === 0)
    return (
      <div class="empty">
        <p class="empty-title">No orders yet</p>
        <p>Create the first one here, or insert a row by SQL: it appears by itself.</p>
        <button type="button" class="button" onClick={() => openDialog({ kind: 'create' })}>
          New order
        </button>
      </div>
    )
  return (
    <div class="empty">
      <p class="empty-title">No order matches</p>
      <p>None of {formatCount(total)} orders fits the search and the status.</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          query.value = { ...query.value, text: '', status: null }
        }}
      >
        Show all orders
      </button>
    </div>
  )
}
