import { useState } from 'preact/hooks'
import { closeDialog, notify } from '../actions.ts'
import { deleteOrder, readOrder } from '../api.ts'
import { formatAmount } from '../format.ts'
import type { Order } from '../order.ts'
import { words } from '../refusal.ts'
import { Modal } from './modal.tsx'
import { alterations } from './order-meanwhile.tsx'

/** Asks first: a deleted order cannot be brought back under its number. */
export function DeleteDialog({ order }: { order: Order }) {
  // The one that is asked about; another is asked about again.
  const [base, setBase] = useState(order)
  const [phase, setPhase] = useState<'asking' | 'sending'>('asking')
  const [failure, setFailure] = useState('')

  const remove = async () => {
    setPhase('sending')
    const outcome = await deleteOrder(base)
    if (outcome.ok) {
      closeDialog()
      notify('good', `Order #${order.id} deleted`)
      return
    }
    const { refusal } = outcome
    const now = refusal.code === 'precondition_failed' ? await readOrder(base.id) : null
    if (now?.ok) {
      setFailure(`Not deleted: meanwhile ${alterations(base, now.value)}. Look at it again.`)
      setBase(now.value)
    } else setFailure(words(refusal))
    setPhase('asking')
  }

  return (
    <Modal title={`Delete order #${base.id}?`}>
      <p>
        {base.customer_name}, {base.product_name}, {formatAmount(base.amount)}. This cannot be
        undone.
      </p>
      {failure !== '' && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <div class="sheet-actions">
        {/* In a dialog that deletes, Enter must not delete. */}
        <button type="button" class="button" autofocus onClick={closeDialog}>
          Keep it
        </button>
        <button type="button" class="button danger" disabled={phase === 'sending'} onClick={remove}>
          {phase === 'sending' ? 'Deleting…' : 'Delete order'}
        </button>
      </div>
    </Modal>
  )
}
