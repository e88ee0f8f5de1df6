import { deliveryStates } from '../../../protocol/delivery-states.ts'
import { formatCount } from '../format.ts'
import { useGlide } from '../glide.ts'
import { navigate } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { plural } from '../sentences.ts'
import { MailRow } from './mail-row.tsx'
import { counts, MAILS_STEP, mails, mailsRefusal, pokesState, wanted } from './mail-store.ts'
import { MailToolbar } from './mail-toolbar.tsx'
import { everyMail, type MailQuery, mailParams } from './query.ts'
import { sum } from './states.ts'

export function MailList({ query }: { query: MailQuery }) {
  const asked = String(mailParams(query))
  const isCurrent = mails.value?.asked === asked
  return (
    <section
      class="panel mails"
      aria-labelledby="mails-title"
      aria-busy={!isCurrent}
      data-stale={isCurrent ? undefined : ''}
    >
      <MailToolbar query={query} />
      <Refused />
      <MailTable query={query} isCurrent={isCurrent} />
      <MailFoot query={query} />
    </section>
  )
}

/** What is shown may be old: why, and what to do. */
function Refused() {
  const refusal = mailsRefusal.value
  const pokes = pokesState.value
  if (refusal !== null)
    return (
      <p class="trouble" data-tone="bad" role="alert">
        <strong>{refusal.title}.</strong> {refusal.detail}{' '}
        {mails.value !== null && 'What is shown may be old.'}
      </p>
    )
  if (pokes.state === 'closed' || (pokes.state === 'waiting' && pokes.attempt > 1))
    return (
      <p class="trouble" data-tone="wait" role="status">
        <strong>This list does not move by itself just now.</strong> It is read again every few
        seconds instead.
      </p>
    )
  return null
}

type TableProps = { query: MailQuery; isCurrent: boolean }

function MailTable({ query, isCurrent }: TableProps) {
  const emails = mails.value?.emails ?? []
  const body = useGlide<HTMLTableSectionElement>(emails.map(({ id }) => id))
  if (emails.length === 0) return <Empty query={query} isRead={isCurrent} />
  return (
    <table class="mails-table" aria-label="Mails, newest first">
      <thead>
        <tr>
          <th scope="col" class="standing">
            State
          </th>
          <th scope="col" class="recipient">
            Recipient
          </th>
          <th scope="col" class="about">
            Owed by
          </th>
          <th scope="col" class="attempts">
            Attempts
          </th>
          <th scope="col" class="last">
            Last error
          </th>
          <th scope="col" class="age">
            When
          </th>
        </tr>
      </thead>
      <tbody ref={body}>
        {emails.map((email) => (
          <MailRow key={email.id} email={email} query={query} />
        ))}
      </tbody>
    </table>
  )
}

function MailFoot({ query }: { query: MailQuery }) {
  const shown = mails.value
  if (shown === null || shown.emails.length === 0) return null
  const total = counts.value === null ? null : sum(counts.value, deliveryStates)
  const isFiltered = String(mailParams(query)) !== ''
  return (
    <footer class="orders-foot">
      <span data-test="mail-count">
        {shown.more
          ? `the newest ${formatCount(shown.emails.length)}`
          : formatCount(shown.emails.length)}
        {total !== null && (isFiltered || shown.more) && ` of ${plural(total, 'mail', 'mails')}`}
        {!isFiltered && !shown.more && (shown.emails.length === 1 ? ' mail' : ' mails')}
      </span>
      {shown.more && (
        <button
          type="button"
          class="button more"
          onClick={() => {
            wanted.value = shown.emails.length + MAILS_STEP
          }}
        >
          Show {MAILS_STEP} more
        </button>
      )}
    </footer>
  )
}

function Empty({ query, isRead }: { query: MailQuery; isRead: boolean }) {
  if (!isRead)
    return (
      <div class="empty">
        <p class="empty-title">{mailsRefusal.value === null ? 'Reading the mails…' : 'No mails'}</p>
      </div>
    )
  if (String(mailParams(query)) === '')
    return (
      <div class="empty">
        <p class="empty-title">No mail is owed yet</p>
        <p>One appears here as soon as a change matches a rule: fill an order, say.</p>
      </div>
    )
  return (
    <div class="empty">
      <p class="empty-title">No mail matches</p>
      <p>A recipient is found by its whole address, an order by its number.</p>
      <button type="button" class="button" onClick={() => navigate(mailsPath(everyMail))}>
        Show all mails
      </button>
    </div>
  )
}
