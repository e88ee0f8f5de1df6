import { rowKey } from '../../sdk/row-key.ts'
import { differences } from '../diff.ts'
import { formatValue } from '../format.ts'
import type { Order } from '../order.ts'
import { rows } from '../store.ts'

type Props = { base: Order; onTake(current: Order): void }

/** Tells who edits an order that it was changed, or deleted, under their hands. */
export function OrderMeanwhile({ base, onTake }: Props) {
  const current = rows.value.orders.get(rowKey({ id: base.id }))
  if (current === undefined)
    return (
      <p class="meanwhile" role="status">
        This order was deleted meanwhile. Saving will not bring it back.
      </p>
    )
  if (current.version === base.version) return null
  const altered = differences(base, current)
    .filter(({ column }) => column !== 'version' && column !== 'updated_at')
    .map(({ column, to }) => `${column} is now ${formatValue(column, to)}`)
  return (
    <p class="meanwhile" role="status">
      Somebody changed this order meanwhile: {altered.join(', ') || 'its version moved'}. Only what
      you alter is saved.
      <button type="button" class="button" onClick={() => onTake(current)}>
        Take the new values
      </button>
    </p>
  )
}
