import { useRef, useState } from 'preact/hooks'
import { closeDialog, notify } from '../actions.ts'
import { changeOrder, createOrder, type Outcome } from '../api.ts'
import { type FieldErrors, type Fields, fieldsOf, readDraft, touched } from '../draft.ts'
import type { Order, OrderDraft } from '../order.ts'
import { Modal } from './modal.tsx'
import { OrderFields } from './order-fields.tsx'
import { OrderMeanwhile } from './order-meanwhile.tsx'

/** Creates an order, or edits the given one. */
export function OrderDialog({ order }: { order: Order | null }) {
  // What the person saw when they began: only what they altered of it is sent.
  const [base, setBase] = useState(order)
  const [fields, setFields] = useState<Fields>(fieldsOf(order))
  const [errors, setErrors] = useState<FieldErrors>({})
  const [failure, setFailure] = useState('')
  const [phase, setPhase] = useState<'editing' | 'sending'>('editing')
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
    const read = readDraft(fields)
    if (!read.ok) return refuse(read.errors, '')
    setPhase('sending')
    const outcome = await save(base, read.draft)
    if (outcome.ok) {
      closeDialog()
      notify('good', outcome.value)
      return
    }
    const { title, detail, fields: wrong } = outcome.refusal
    const known = Object.keys(wrong).some((name) => name in fields)
    refuse(wrong, known ? '' : [`${title}.`, detail, ...Object.values(wrong)].join(' ').trim())
  }

  return (
    <Modal title={base === null ? 'New order' : `Order #${base.id}`}>
      <form ref={form} noValidate onSubmit={submit}>
        {base !== null && phase === 'editing' && (
          <OrderMeanwhile
            base={base}
            onTake={(current) => {
              setBase(current)
              setFields(fieldsOf(current))
              setErrors({})
            }}
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

/** @returns what to tell the person */
async function save(base: Order | null, draft: OrderDraft): Promise<Outcome<string>> {
  if (base === null) {
    const created = await createOrder(draft)
    return created.ok ? { ok: true, value: `Order #${created.value.id} created` } : created
  }
  const altered = touched(base, draft)
  if (Object.keys(altered).length === 0) return { ok: true, value: 'Nothing was altered' }
  const changed = await changeOrder(base.id, altered)
  return changed.ok ? { ok: true, value: `Order #${base.id} saved` } : changed
}
