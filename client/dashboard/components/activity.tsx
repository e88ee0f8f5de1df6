import { clearLog } from '../actions.ts'
import type { Order } from '../order.ts'
import { plural } from '../sentences.ts'
import { connection, log, rows } from '../store.ts'
import { LogItem } from './log-item.tsx'

export function Activity() {
  return (
    <section class="panel activity" aria-labelledby="activity-title">
      <header class="panel-head">
        <h2 class="panel-title" id="activity-title">
          Activity
        </h2>
        <Legend />
        <button
          type="button"
          class="button quiet clear"
          title="Clear the log (C)"
          disabled={log.value.entries.length === 0}
          onClick={clearLog}
        >
          Clear
        </button>
      </header>
      <Entries />
    </section>
  )
}

function Legend() {
  return (
    <p class="legend" aria-hidden="true">
      <span data-op="insert">insert</span>
      <span data-op="update">update</span>
      <span data-op="delete">delete</span>
    </p>
  )
}

function Entries() {
  const { entries, dropped } = log.value
  if (entries.length === 0) return <Waiting />
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <ol class="log" data-test="log" aria-label="Changes, newest first" tabIndex={0}>
      {entries.map((entry) => (
        <LogItem key={`${entry.epoch}:${entry.change.offset}`} entry={entry} />
      ))}
      {dropped > 0 && (
        <li class="log-end">
          {plural(dropped, 'earlier change', 'earlier changes')} not kept here
        </li>
      )}
    </ol>
  )
}

/** Waiting is no error: it says what would end it. */
function Waiting() {
  const id = unfilledId(rows.value.orders.values())
  if (connection.value.state !== 'live')
    return (
      <div class="empty">
        <p class="empty-title">Not listening</p>
        <p>Changes appear here as soon as this page is connected.</p>
      </div>
    )
  return (
    <div class="empty" data-test="log-empty">
      <p class="empty-title">Waiting for the first change</p>
      <p>Edit an order, or change one by SQL from a second terminal:</p>
      <pre>
        <code>npm run belfry -- sql "update orders set status='FILLED' where id={id}"</code>
      </pre>
    </div>
  )
}

/** An order to try it on: filling a filled one would change nothing. */
function unfilledId(orders: Iterable<Order>): number {
  for (const { id, status } of orders) if (status !== 'filled') return id
  return 1
}
