import { Icon } from '../components/icon.tsx'
import { formatDayTime, formatMoment } from '../format.ts'
import { MailPill } from '../mail/mail-pill.tsx'
import { mailsPath } from '../route.ts'
import { clock } from '../store.ts'
import type { Told } from './chapters.ts'
import type { ToldByMail, ToldInApp } from './life.ts'

/** Who was told of a version: by which mail, and in whose inbox. */
export function ToldList({ told, order }: { told: readonly Told[]; order: number }) {
  if (told.length === 0) return null
  return (
    <ul class="told" aria-label="Who was told">
      {told.map((each) =>
        each.kind === 'mail' ? (
          <ByMail key={`mail ${each.mail.id}`} mail={each.mail} order={order} />
        ) : (
          <InInbox key={`inbox ${each.notification.id}`} notification={each.notification} />
        ),
      )}
    </ul>
  )
}

function ByMail({ mail, order }: { mail: ToldByMail; order: number }) {
  const { id, recipient, state, rule, at } = mail
  return (
    <li class="told-item" data-told="mail">
      <Icon name="mail" />
      <p class="told-who">
        <a href={mailsPath({ order: String(order) }, id)}>{recipient}</a>
        <span class="told-why">{rule}</span>
      </p>
      <MailPill state={state} />
      <When at={at} />
    </li>
  )
}

function InInbox({
  notification: { user, title, state, delivered_at },
}: {
  notification: ToldInApp
}) {
  return (
    <li class="told-item" data-told="inbox">
      <Icon name="bell" />
      <p class="told-who">
        user {user}
        <span class="told-why">{title}</span>
      </p>
      <span class="pill" data-mail={state === 'delivered' ? 'delivered' : 'queued'}>
        {state}
      </span>
      {delivered_at === null ? <span /> : <When at={delivered_at} />}
    </li>
  )
}

function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {formatDayTime(at, clock.value)}
    </time>
  )
}
