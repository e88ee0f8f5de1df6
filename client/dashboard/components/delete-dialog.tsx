import { useState } from 'preact/hooks'
import { closeDialog, notify } from '../actions.ts'
import { deleteOrder } from '../api.ts'
import { formatAmount } from '../format.ts'
import type { Order } from '../order.ts'
import { Modal } from './modal.tsx'

/** Asks first: a deleted order cannot be brought back under its number. */
export function DeleteDialog({ order }: { order: Order }) {
  const [phase, setPhase] = useState<'asking' | 'sending'>('asking')
  const [failure, setFailure] = useState('')

  const remove = async () => {
    setPhase('sending')
    const outcome = await deleteOrder(order.id)
    if (outcome.ok) {
      closeDialog()
      notify('good', `Order #${order.id} deleted`)
      return
    }
    setFailure(`${outcome.refusal.title}. ${outcome.refusal.detail}`.trim())
    setPhase('asking')
  }

  return (
    <Modal title={`Delete order #${order.id}?`}>
      <p>
        {order.customer_name}, {order.product_name}, {formatAmount(order.amount)}. This cannot be
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
