import { useMemo } from 'preact/hooks'
import { openDialog } from '../actions.ts'
import { formatAmount } from '../format.ts'
import type { Order } from '../order.ts'
import { mailsPath, orderPath } from '../route.ts'
import type { Mark } from '../store.ts'
import { Ago } from './ago.tsx'
import { Icon } from './icon.tsx'
import { StatusPill } from './status-pill.tsx'

type Props = { order: Order; mark: Mark | undefined; gone: boolean }

/** Drawn again only when its order or its mark is another: of 200 rows most stand still. */
export function OrderRow({ order, mark, gone }: Props) {
  return useMemo(
    () => (
      <tr
        data-order={order.id}
        data-flash={gone ? 'delete' : mark?.op}
        // Alternates, so that a second change of the same kind starts the flash again.
        data-beat={mark && !gone ? mark.beat % 2 : undefined}
        data-gone={gone ? '' : undefined}
      >
        <td class="id">
          <a
            class="order-open"
            href={orderPath(order.id)}
            aria-label={`Order ${order.id} and its life`}
          >
            {order.id}
          </a>
        </td>
        <td class="customer">
          {order.customer_name}
          {order.customer_email !== null && (
            <a
              class="has-mail"
              href={mailsPath({ order: String(order.id) })}
              aria-label={`Mails about order ${order.id}`}
              title={`Mail goes to ${order.customer_email}`}
            >
              <Icon name="mail" />
            </a>
          )}
        </td>
        <td class="product">{order.product_name}</td>
        <td class="status">
          <StatusPill status={order.status} />
        </td>
        <td class="amount">{formatAmount(order.amount)}</td>
        <td class="updated">
          <Ago at={order.updated_at} />
          <span class="row-actions">
            <button
              type="button"
              class="button quiet square"
              aria-label={`Edit order ${order.id}`}
              title="Edit"
              disabled={gone}
              onClick={() => openDialog({ kind: 'edit', order })}
            >
              <Icon name="pencil" />
            </button>
            <button
              type="button"
              class="button quiet square"
              aria-label={`Delete order ${order.id}`}
              title="Delete"
              disabled={gone}
              onClick={() => openDialog({ kind: 'delete', order })}
            >
              <Icon name="trash" />
            </button>
          </span>
        </td>
      </tr>
    ),
    [order, mark, gone],
  )
}
