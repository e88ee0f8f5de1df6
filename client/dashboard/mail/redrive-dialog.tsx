import { useEffect, useState } from 'preact/hooks'
import { closeDialog, notify } from '../actions.ts'
import { Modal } from '../components/modal.tsx'
import { formatCount } from '../format.ts'
import type { Refusal } from '../refusal.ts'
import { plural } from '../sentences.ts'
import { queryWords } from './mail-sentences.ts'
import { catalog } from './mail-store.ts'
import type { MailQuery } from './query.ts'
import { countRedrivable, redriveMails } from './requests.ts'
import { askAgain } from './watch-mails.ts'

type Phase =
  | { state: 'counting' }
  /** `unknown` of them may have gone out already. */
  | { state: 'counted'; matching: number; unknown: number }
  | { state: 'sending'; matching: number; unknown: number }
  | { state: 'failed'; refusal: Refusal }

/** Tries a filtered set again: says first how many that would be. */
export function RedriveDialog({ query }: { query: MailQuery }) {
  const [phase, setPhase] = useState<Phase>({ state: 'counting' })

  const count = async () => {
    setPhase({ state: 'counting' })
    const isUnknownAsked = query.states.includes('unknown')
    const [all, unknown] = await Promise.all([
      countRedrivable(query),
      isUnknownAsked ? countRedrivable({ ...query, states: ['unknown'] }) : null,
    ])
    if (!all.ok) setPhase({ state: 'failed', refusal: all.refusal })
    else if (unknown?.ok === false) setPhase({ state: 'failed', refusal: unknown.refusal })
    else setPhase({ state: 'counted', matching: all.value, unknown: unknown?.value ?? 0 })
  }
  useEffect(() => void count(), [])

  const redrive = async (matching: number, unknown: number) => {
    setPhase({ state: 'sending', matching, unknown })
    const outcome = await redriveMails(query)
    askAgain()
    if (!outcome.ok) return setPhase({ state: 'failed', refusal: outcome.refusal })
    closeDialog()
    notify('good', `${plural(outcome.value, 'mail is', 'mails are')} tried again`)
  }

  return (
    <Modal title="Try mails again">
      <p class="which">{queryWords(query, ruleName(query.rule))}</p>
      <Answer phase={phase} />
      <div class="sheet-actions">
        {/* Enter must not send: mails cannot be called back. */}
        <button type="button" class="button" autofocus onClick={closeDialog}>
          Leave them
        </button>
        {phase.state === 'failed' ? (
          <button type="button" class="button" onClick={count}>
            Count again
          </button>
        ) : (
          <button
            type="button"
            class="button primary"
            disabled={phase.state !== 'counted' || phase.matching === 0}
            onClick={() => phase.state === 'counted' && redrive(phase.matching, phase.unknown)}
          >
            {phase.state === 'sending' ? 'Queueing…' : actionWords(phase)}
          </button>
        )}
      </div>
    </Modal>
  )
}

function Answer({ phase }: { phase: Phase }) {
  if (phase.state === 'failed')
    return (
      <p class="failure" role="alert">
        {phase.refusal.title}. {phase.refusal.detail}
      </p>
    )
  return (
    <div class="answer" role="status" aria-live="polite" data-test="dry-run">
      {phase.state === 'counting' ? (
        <p>Counting…</p>
      ) : (
        <>
          <p class="answer-count">
            {phase.matching === 0
              ? 'None of these can be tried again.'
              : `${plural(phase.matching, 'mail', 'mails')} would be tried again.`}
          </p>
          {phase.unknown > 0 && (
            <p class="warning">
              {formatCount(phase.unknown)} of them may have gone out already: who has had it may get
              it twice.
            </p>
          )}
        </>
      )}
    </div>
  )
}

function actionWords(phase: Phase): string {
  if (phase.state !== 'counted' || phase.matching === 0) return 'Try again'
  return phase.matching === 1 ? 'Try it again' : `Try ${formatCount(phase.matching)} again`
}

function ruleName(id: number | null): string | null {
  const known = catalog.value
  return known.state === 'read' ? (known.rules.find((rule) => rule.id === id)?.name ?? null) : null
}
