import { rowKey } from '../../sdk/row-key.ts'
import { differences } from '../diff.ts'
import { formatValue } from '../format.ts'
import type { Order } from '../order.ts'
import { rows } from '../store.ts'

type Props = {
  base: Order
  /** As the API has it since it refused to save: the feed may be behind. */
  read: Order | null
  onTake(current: Order): void
  onKeep(current: Order): void
}

/** Tells who edits an order that it was changed, or deleted, under their hands: they decide. */
export function OrderMeanwhile({ base, read, onTake, onKeep }: Props) {
  const current = newest(base.id, read)
  if (current === null)
    return (
      <p class="meanwhile" role="status">
        This order was deleted meanwhile. Saving will not bring it back.
      </p>
    )
  if (current.version === base.version) return null
  return (
    <div class="meanwhile" role="status">
      <p>Somebody changed this order meanwhile: {alterations(base, current)}.</p>
      <div class="meanwhile-choice">
        <button type="button" class="button" onClick={() => onTake(current)}>
          Take the new values
        </button>
        <button type="button" class="button" onClick={() => onKeep(current)}>
          Keep what I altered
        </button>
      </div>
    </div>
  )
}

/** "status is now shipped, amount is now 77.00" */
export function alterations(base: Order, current: Order): string {
  const altered = differences(base, current)
    .filter(({ column }) => column !== 'version' && column !== 'updated_at')
    .map(({ column, to }) => `${column} is now ${formatValue(column, to)}`)
  return altered.join(', ') || 'its version moved'
}

function newest(id: number, read: Order | null): Order | null {
  const heard = rows.value.orders.get(rowKey({ id })) ?? null
  if (heard === null || read === null) return heard
  return heard.version < read.version ? read : heard
}
