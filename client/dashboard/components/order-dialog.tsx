import { useRef, useState } from 'preact/hooks'
import { closeDialog, notify } from '../actions.ts'
import { changeOrder, createOrder, readOrder } from '../api.ts'
import { type FieldErrors, type Fields, fieldsOf, readDraft, rebase, touched } from '../draft.ts'
import { useOnceKey } from '../once-key.ts'
import type { Order, OrderDraft } from '../order.ts'
import { type Refusal, words } from '../refusal.ts'
import type { Outcome } from '../request.ts'
import { Modal } from './modal.tsx'
import { OrderFields } from './order-fields.tsx'
import { OrderMeanwhile } from './order-meanwhile.tsx'

/** Creates an order, or edits the given one. */
export function OrderDialog({ order }: { order: Order | null }) {
  // What the person saw when they began: only what they altered of it is sent, for that version.
  const [base, setBase] = useState(order)
  const [read, setRead] = useState<Order | null>(null)
  const [fields, setFields] = useState<Fields>(fieldsOf(order))
  const [errors, setErrors] = useState<FieldErrors>({})
  const [failure, setFailure] = useState('')
  const [phase, setPhase] = useState<'editing' | 'sending'>('editing')
  const onceKey = useOnceKey()
  const form = useRef<HTMLFormElement>(null)

  const refuse = (found: FieldErrors, what: string) => {
    setErrors(found)
    setFailure(what)
    setPhase('editing')
    // After the next draw, when the fields know that they are wrong.
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus(),
    )
  }

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (phase === 'sending') return
    const draft = readDraft(fields)
    if (!draft.ok) return refuse(draft.errors, '')
    setPhase('sending')
    const outcome = await save(base, draft.draft, onceKey)
    if (outcome.ok) {
      closeDialog()
      notify('good', outcome.value)
      return
    }
    const { refusal } = outcome
    if (base !== null && refusal.code === 'precondition_failed') {
      const now = await readOrder(base.id)
      if (now.ok) setRead(now.value)
      return refuse({}, 'Not saved: it was changed meanwhile. Decide above, then save again.')
    }
    refuse(refusal.fields, sentence(refusal, fields))
  }

  const goOnFrom = (current: Order, next: Fields) => {
    setBase(current)
    setFields(next)
    setErrors({})
    setFailure('')
  }

  return (
    <Modal title={base === null ? 'New order' : `Order #${base.id}`}>
      <form ref={form} noValidate onSubmit={submit}>
        {base !== null && phase === 'editing' && (
          <OrderMeanwhile
            base={base}
            read={read}
            onTake={(current) => goOnFrom(current, fieldsOf(current))}
            onKeep={(current) => goOnFrom(current, rebase(fields, base, current))}
          />
        )}
        <OrderFields fields={fields} errors={errors} onChange={setFields} />
        {failure !== '' && (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
        <div class="sheet-actions">
          <button type="button" class="button" onClick={closeDialog}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={phase === 'sending'}>
            {phase === 'sending' ? 'Saving…' : base === null ? 'Create order' : 'Save changes'}
          </button>
        </div>
      </form>
    </Modal>
  )
}

/** Nothing where a field of the form says it. */
function sentence(refusal: Refusal, fields: Fields): string {
  const wrong = Object.entries(refusal.fields)
  if (wrong.some(([name]) => name in fields)) return ''
  return [words(refusal), ...wrong.map(([, what]) => what)].join(' ')
}

/** @returns what to tell the person */
async function save(
  base: Order | null,
  draft: OrderDraft,
  onceKey: (draft: OrderDraft) => string,
): Promise<Outcome<string>> {
  if (base === null) {
    const created = await createOrder(draft, onceKey(draft))
    return created.ok ? { ok: true, value: `Order #${created.value.id} created` } : created
  }
  const altered = touched(base, draft)
  if (Object.keys(altered).length === 0) return { ok: true, value: 'Nothing was altered' }
  const changed = await changeOrder(base, altered)
  return changed.ok ? { ok: true, value: `Order #${base.id} saved` } : changed
}
