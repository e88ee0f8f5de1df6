import { Ago } from '../components/ago.tsx'
import { Modal } from '../components/modal.tsx'
import { formatMoment } from '../format.ts'
import { leaveTo } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { theme } from '../theme.ts'
import type { EmailStory } from './email.ts'
import { LetterView } from './letter-view.tsx'
import { MailActions } from './mail-actions.tsx'
import { MailHistory } from './mail-history.tsx'
import { MailPill } from './mail-pill.tsx'
import { About } from './mail-row.tsx'
import { refusalWords } from './mail-sentences.ts'
import { story } from './mail-store.ts'
import type { MailQuery } from './query.ts'
import { Soon } from './soon.tsx'
import { meanings } from './states.ts'

/** One mail: where it stands, what happened to it, and what it says. It moves while it is open. */
export function MailDialog({ id, query }: { id: number; query: MailQuery }) {
  const close = () => leaveTo(mailsPath(query))
  const read = story.value
  const title = read?.state === 'read' ? read.story.recipient : `Mail ${id}`
  return (
    <Modal title={title} size="wide" onClose={close}>
      {read === null || read.state === 'loading' ? (
        <p>Reading the mail…</p>
      ) : read.state === 'failed' ? (
        <p class="failure" role="alert">
          {refusalWords(read.refusal)}
        </p>
      ) : (
        <>
          {read.refusal !== null && (
            <p class="failure" role="alert">
              {refusalWords(read.refusal)} What is shown may be old.
            </p>
          )}
          <Told mail={read.story} />
        </>
      )}
    </Modal>
  )
}

function Told({ mail }: { mail: EmailStory }) {
  const { letter, last_error, history } = mail
  return (
    <div class="mail-told">
      <div class="mail-side">
        <p class="mail-state" role="status" data-test="mail-state">
          <MailPill state={mail.state} /> <span>{meanings[mail.state]}</span>
        </p>
        {last_error !== null && (
          <p class="mail-error" data-test="last-error">
            {last_error}
          </p>
        )}
        <Facts mail={mail} />
        <MailActions mail={mail} />
        <MailHistory history={history} />
      </div>
      {letter === null ? (
        <p class="empty">The letter cannot be written any more: its template has changed.</p>
      ) : (
        <LetterView letter={letter} look={theme.value} />
      )}
    </div>
  )
}

function Facts({ mail }: { mail: EmailStory }) {
  const { attempts, created_at, sent_at, next_at, provider_id } = mail
  const isDue = next_at !== null && (mail.state === 'queued' || mail.state === 'failed')
  return (
    <dl class="mail-facts">
      <dt>Owed by</dt>
      <dd>
        <About email={mail} />, <Ago at={created_at} />
      </dd>
      <dt>Attempts</dt>
      <dd>
        {attempts}
        {isDue && (
          <>
            , the next <Soon at={next_at} />
          </>
        )}
      </dd>
      {sent_at !== null && (
        <>
          <dt>Sent</dt>
          <dd>
            <time dateTime={sent_at}>{formatMoment(sent_at)}</time>
          </dd>
        </>
      )}
      {provider_id !== null && (
        <>
          <dt>Provider’s id</dt>
          <dd>
            <code>{provider_id}</code>
          </dd>
        </>
      )}
      <dt>Change</dt>
      <dd>
        <code>{mail.change}</code>
      </dd>
    </dl>
  )
}
