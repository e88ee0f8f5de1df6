import { useMemo } from 'preact/hooks'
import { Ago } from '../components/ago.tsx'
import { formatCount } from '../format.ts'
import { mailsPath, ordersPath } from '../route.ts'
import type { Email } from './email.ts'
import { MailPill } from './mail-pill.tsx'
import type { MailQuery } from './query.ts'
import { Soon } from './soon.tsx'

type Props = { email: Email; query: MailQuery }

/** Drawn again only when its mail is another. */
export function MailRow({ email, query }: Props) {
  const key = JSON.stringify(email)
  // What was read again is mostly the same as before.
  return useMemo(
    () => (
      <tr data-mail-row={email.id}>
        <td class="standing">
          <MailPill state={email.state} />
        </td>
        <td class="recipient">
          <a class="open" href={mailsPath(query, email.id)}>
            {email.recipient}
          </a>
        </td>
        <td class="about">
          <About email={email} />
        </td>
        <td class="attempts">
          {formatCount(email.attempts)}
          <span class="unit"> {email.attempts === 1 ? 'attempt' : 'attempts'}</span>
        </td>
        <td class="last">
          <Last email={email} />
        </td>
        <td class="age">
          <Ago at={email.created_at} />
        </td>
      </tr>
    ),
    [key, query],
  )
}

/** What owes it: the rule, and the row it is about. */
export function About({ email }: { email: Email }) {
  const { rule_name, order_id, table, key } = email
  return (
    <>
      <span class="rule-name">{rule_name}</span>{' '}
      {order_id === null ? (
        <span class="row-key">
          {table} {key}
        </span>
      ) : (
        <a class="order-link" href={ordersPath(`#${order_id}`)} title={`Order #${order_id}`}>
          #{order_id}
        </a>
      )}
    </>
  )
}

function Last({ email: { last_error, next_at, state } }: { email: Email }) {
  const isTriedAgain = state === 'failed' && next_at !== null
  return (
    <>
      {isTriedAgain && (
        <span class="next">
          again <Soon at={next_at} />
        </span>
      )}
      {last_error !== null && (
        <span class="error" title={last_error}>
          {last_error}
        </span>
      )}
    </>
  )
}
