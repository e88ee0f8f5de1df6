import { useMemo } from 'preact/hooks'
import type { Change } from '../../../protocol/change.ts'
import { changedColumns } from '../diff.ts'
import { formatCount, formatMoment, formatMs, formatTime, formatValue } from '../format.ts'
import { orderPath } from '../route.ts'
import { subject } from '../sentences.ts'
import type { LogEntry } from '../store.ts'

/** An entry never changes, so it is drawn once. */
export function LogItem({ entry }: { entry: LogEntry }) {
  return useMemo(() => <Item {...entry} />, [entry])
}

function Item({ change, latencyMs, late, quiet }: LogEntry) {
  const { id, name } = subject(change)
  return (
    <li
      class="entry"
      data-op={change.op}
      data-offset={change.offset}
      data-quiet={quiet ? '' : undefined}
    >
      <p class="entry-head">
        <span class="op">{change.op}</span>
        <span class="entry-subject">
          <EntryId change={change} id={id} /> {name}
        </span>
        <span class="latency-ms" title="From commit to screen">
          {late ? 'caught up' : formatMs(latencyMs)}
        </span>
      </p>
      <What change={change} />
      <p class="entry-foot">
        <time dateTime={change.at} title={formatMoment(change.at)}>
          {formatTime(change.at)}
        </time>
        <span>offset {formatCount(change.offset)}</span>
      </p>
    </li>
  )
}

/** Of an order it leads to its page; a truncation has none. */
function EntryId({ change: { table, key }, id }: { change: Change; id: string }) {
  if (table !== 'orders' || key === null) return <span class="entry-id">{id}</span>
  return (
    <a class="entry-id" href={orderPath(String(key.id))}>
      {id}
    </a>
  )
}

function What({ change }: { change: Change }) {
  if (change.op === 'truncate') return <p class="facts">All rows were removed.</p>
  if (change.oversize) return <p class="facts">Too large to travel with its values.</p>
  if (change.op !== 'update') return <Facts row={change.new ?? change.old ?? {}} />
  const changed = changedColumns(change)
  if (changed.length === 0) return <p class="facts">Only its version moved.</p>
  return (
    <dl class="diff">
      {changed.map(({ column, from, to }) => (
        <div key={column}>
          <dt>{column}</dt>
          <dd>
            <del>{formatValue(column, from)}</del>
            <span class="to" aria-hidden="true">
              →
            </span>
            <ins>{formatValue(column, to)}</ins>
          </dd>
        </div>
      ))}
    </dl>
  )
}

const FACTS = ['product_name', 'amount', 'status']

/** A whole row came or went: the columns a person knows it by. */
function Facts({ row }: { row: NonNullable<Change['new']> }) {
  const known = FACTS.filter((column) => column in row)
  const shown = known.length > 0 ? known : Object.keys(row).slice(0, 4)
  return <p class="facts">{shown.map((column) => formatValue(column, row[column])).join(' · ')}</p>
}
