import type { ComponentChildren } from 'preact'
import type { Value } from '../../../protocol/change.ts'
import { openDialog } from '../actions.ts'
import { Ago } from '../components/ago.tsx'
import { Icon } from '../components/icon.tsx'
import { StatusPill } from '../components/status-pill.tsx'
import { formatAmount, formatMoment, formatValue } from '../format.ts'
import type { Order } from '../order.ts'
import { mailsPath } from '../route.ts'

/** An order as it is now, and what can be done to it. */
export function OrderFacts({ order }: { order: Order }) {
  const { id, customer_email } = order
  return (
    <section class="panel order-facts" aria-labelledby="order-title" data-order-page={id}>
      <header class="order-head">
        <h1 class="order-title" id="order-title">
          Order #{id}
        </h1>
        <StatusPill status={order.status} />
      </header>
      <p class="order-amount">{formatAmount(order.amount)}</p>
      <dl class="order-list">
        <Fact name="Customer">{order.customer_name}</Fact>
        <Fact name="Product">{order.product_name}</Fact>
        <Fact name="E-mail">
          {customer_email ?? <span class="none">none: no mail goes out</span>}
        </Fact>
        <Fact name="Version">{order.version}</Fact>
        <Fact name="Updated">
          <Ago at={order.updated_at} />
        </Fact>
        <Fact name="Created">
          <time dateTime={order.created_at}>{formatMoment(order.created_at)}</time>
        </Fact>
      </dl>
      <div class="order-actions">
        <button type="button" class="button" onClick={() => openDialog({ kind: 'edit', order })}>
          <Icon name="pencil" />
          Edit
        </button>
        <button type="button" class="button" onClick={() => openDialog({ kind: 'delete', order })}>
          <Icon name="trash" />
          Delete
        </button>
        <MailsOf id={id} />
      </div>
    </section>
  )
}

type GoneProps = {
  id: number
  /** null until its life is read, or if it has none; nothing if it was deleted by SQL. */
  known: Readonly<Record<string, unknown>> | null
}

/** An order that is no more, or never was. */
export function GoneOrder({ id, known }: GoneProps) {
  const columns = ['customer_name', 'product_name', 'amount', 'status', 'customer_email']
  const shown = columns.filter((column) => known?.[column] != null)
  return (
    <section class="panel order-facts" aria-labelledby="order-title" data-gone="">
      <header class="order-head">
        <h1 class="order-title" id="order-title">
          Order #{id}
        </h1>
        <span class="pill" data-status="gone">
          gone
        </span>
      </header>
      <p class="order-gone">
        There is no such order now. {known !== null && goneWords(shown.length > 0)}
      </p>
      <dl class="order-list">
        {shown.map((column) => (
          <Fact key={column} name={column}>
            {formatValue(column, known?.[column] as Value)}
          </Fact>
        ))}
      </dl>
      <div class="order-actions">
        <MailsOf id={id} />
      </div>
    </section>
  )
}

function goneWords(isKnown: boolean): string {
  return isKnown
    ? 'When it was deleted it had these values.'
    : 'It was deleted by SQL, and nobody wrote down what it was.'
}

function MailsOf({ id }: { id: number }) {
  return (
    <a class="button" href={mailsPath({ order: String(id) })}>
      <Icon name="mail" />
      Its mails
    </a>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}
