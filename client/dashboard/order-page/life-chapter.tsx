import type { ComponentChildren } from 'preact'
import type { Value } from '../../../protocol/change.ts'
import { formatDayTime, formatMoment, formatValue } from '../format.ts'
import { clock } from '../store.ts'
import type { Chapter } from './chapters.ts'
import { columnsOf } from './columns.ts'
import type { Unwritten, Written } from './life.ts'
import { ToldList } from './told-list.tsx'

/** A version: what changed, who made it, when, and who was told. */
export function LifeChapter({ chapter, order }: { chapter: Chapter; order: number }) {
  const { told } = chapter
  return chapter.kind === 'sql' ? (
    <BySql entry={chapter.entry}>
      <ToldList told={told} order={order} />
    </BySql>
  ) : (
    <Version entry={chapter.entry}>
      <ToldList told={told} order={order} />
    </Version>
  )
}

const titles: Readonly<Record<string, string>> = {
  insert: 'Created',
  update: 'Changed',
  delete: 'Deleted',
}

type VersionProps = { entry: Written; children: ComponentChildren }

function Version({ entry, children }: VersionProps) {
  const { version, action, by, name, at, request } = entry
  const columns = columnsOf(entry)
  return (
    <li class="chapter" data-op={action} data-version={version ?? 'deleted'}>
      <p class="chapter-head">
        <span class="op">{titles[action] ?? action}</span>
        <span class="chapter-by">
          by <b>{by}</b>
          {name !== null && ` (${name})`}
        </span>
        {version !== null && <span class="chapter-version">version {version}</span>}
      </p>
      {columns.length === 0 ? (
        <p class="facts">Only its version moved.</p>
      ) : (
        <dl class="diff">
          {columns.map(({ column, before, after }) => (
            <div key={column}>
              <dt>{column}</dt>
              <dd>
                {action !== 'insert' && <del>{formatValue(column, before as Value)}</del>}
                {action === 'update' && (
                  <span class="to" aria-hidden="true">
                    →
                  </span>
                )}
                {action !== 'delete' && <ins>{formatValue(column, after as Value)}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <p class="chapter-foot">
        <time dateTime={at} title={formatMoment(at)}>
          {formatDayTime(at, clock.value)}
        </time>
        <span class="chapter-request" title="Of the request; the log of the worker has it too">
          request <code>{request}</code>
        </span>
      </p>
      {children}
    </li>
  )
}

function BySql({ entry, children }: { entry: Unwritten; children: ComponentChildren }) {
  const [first, last] = entry.versions
  return (
    <li class="chapter" data-op="sql" data-version={last}>
      <p class="chapter-head">
        <span class="op">{first === 1 && last === 1 ? 'Created' : 'Changed'}</span>
        <span class="chapter-by">
          by <b>SQL</b>
        </span>
        <span class="chapter-version">
          {first === last ? `version ${last}` : `versions ${first} to ${last}`}
        </span>
      </p>
      <p class="facts">
        Straight in the database, so nobody wrote down who it was or what was there before.
      </p>
      {children}
    </li>
  )
}
