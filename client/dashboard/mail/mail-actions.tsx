import { useState } from 'preact/hooks'
import { isRedrivable } from '../../../protocol/delivery-states.ts'
import { notify } from '../actions.ts'
import { Icon } from '../components/icon.tsx'
import type { Outcome } from '../request.ts'
import type { Email } from './email.ts'
import { refusalWords } from './mail-sentences.ts'
import { cancelMail, redriveMail } from './requests.ts'
import { cancellable } from './states.ts'
import { askAgain } from './watch-mails.ts'

/** What can be done about one mail. What came of it is read again, like anyone's doing. */
export function MailActions({ mail }: { mail: Email }) {
  const [phase, setPhase] = useState<'resting' | 'sending'>('resting')
  const [failure, setFailure] = useState('')
  const { id, recipient, state } = mail

  const run = async (ask: () => Promise<Outcome<unknown>>, done: string) => {
    setPhase('sending')
    setFailure('')
    const outcome = await ask()
    setPhase('resting')
    askAgain()
    if (outcome.ok) notify('good', done)
    else setFailure(refusalWords(outcome.refusal))
  }

  const canRedrive = isRedrivable(state)
  const canCancel = cancellable.has(state)
  if (!canRedrive && !canCancel && failure === '') return null
  return (
    <div class="mail-actions">
      {state === 'unknown' && (
        <p class="warning">
          If it did go out, trying again may send it twice. Ask the recipient first.
        </p>
      )}
      {canRedrive && (
        <button
          type="button"
          class="button primary"
          disabled={phase === 'sending'}
          onClick={() => run(() => redriveMail(id), `The mail to ${recipient} is tried again`)}
        >
          <Icon name="reconnect" />
          {phase === 'sending' ? 'Queueing…' : 'Try again'}
        </button>
      )}
      {canCancel && (
        <button
          type="button"
          class="button"
          disabled={phase === 'sending'}
          onClick={() => run(() => cancelMail(id), `The mail to ${recipient} is cancelled`)}
        >
          <Icon name="close" />
          {phase === 'sending' ? 'Cancelling…' : 'Cancel this mail'}
        </button>
      )}
      {failure !== '' && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
    </div>
  )
}
