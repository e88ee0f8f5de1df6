import { formatCount } from '../format.ts'
import { mailsPath } from '../route.ts'
import { counts } from './mail-store.ts'
import type { MailQuery } from './query.ts'
import { breakdown, groupOf, groups, type MailGroup, sum } from './states.ts'

/** Where the mails are, as a way with stations: each shows how many, and filters by it. */
export function MailBoard({ query }: { query: MailQuery }) {
  const chosen = groupOf(query.states)
  return (
    <section class="way board" aria-label="Mails by state">
      <ol class="stations">
        {groups.map((group) => (
          <Station key={group.name} group={group} query={query} chosen={chosen === group} />
        ))}
      </ol>
    </section>
  )
}

type StationProps = { group: MailGroup; query: MailQuery; chosen: boolean }

function Station({ group, query, chosen }: StationProps) {
  const known = counts.value
  const count = known === null ? null : sum(known, group.states)
  return (
    <li
      class="station"
      data-group={group.name}
      data-tone={count ? group.tone : 'idle'}
      data-chosen={chosen ? '' : undefined}
    >
      <span class="station-name">
        <span class="dot" />
        {group.title}
      </span>
      <a
        class="station-link"
        href={mailsPath({ ...query, states: chosen ? [] : group.states })}
        aria-current={chosen ? 'true' : undefined}
        aria-label={chosen ? `${group.title}: show all mails again` : `Show mails: ${group.title}`}
      >
        <span class="station-word" data-test={`count-${group.name}`}>
          {count === null ? '–' : formatCount(count)}
        </span>
      </a>
      <span class="station-note">{known === null ? '' : breakdown(group, known)}</span>
    </li>
  )
}
