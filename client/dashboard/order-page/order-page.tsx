import { rowKey } from '../../sdk/row-key.ts'
import { ForOthers } from '../components/for-others.tsx'
import { Troubles } from '../components/troubles.tsx'
import type { Order } from '../order.ts'
import { isForOthers, words } from '../refusal.ts'
import { freshness, rows } from '../store.ts'
import { chapters, lastKnown } from './chapters.ts'
import { LifeChapter } from './life-chapter.tsx'
import { lifeOf, type ReadLife } from './life-store.ts'
import { GoneOrder, OrderFacts } from './order-facts.tsx'

/** One order: what it is, and how it came to be so. */
export function OrderPage({ id }: { id: number }) {
  const known = lifeOf.value
  const order = orderOf(id, known)
  return (
    <main class="page" id="content" tabIndex={-1}>
      <Troubles />
      <nav class="crumbs" aria-label="Where this is">
        <a href="/">Orders</a> <span aria-hidden="true">/</span> #{id}
      </nav>
      <div class="order-desk">
        {order === 'unknown' ? (
          <section class="panel order-facts">
            <h1 class="order-title">Order #{id}</h1>
          </section>
        ) : order === null ? (
          <GoneOrder id={id} known={known?.state === 'read' ? lastKnown(known.life) : null} />
        ) : (
          <OrderFacts order={order} />
        )}
        <section class="panel life" aria-labelledby="life-title">
          <header class="panel-head">
            <h2 class="panel-title" id="life-title">
              Life
            </h2>
            <p class="pane-lead">Each version, who made it, and who was told.</p>
          </header>
          <Life known={known} />
        </section>
      </div>
    </main>
  )
}

/** The feed knows first; until it has read the orders, the life does. null: there is none. */
function orderOf(id: number, known: ReadLife | null): Order | null | 'unknown' {
  const heard = rows.value.orders.get(rowKey({ id }))
  if (heard) return heard
  if (freshness.value.state === 'current') return null
  if (known?.state !== 'read') return 'unknown'
  return known.life.order as Order | null
}

function Life({ known }: { known: ReadLife | null }) {
  if (known === null || known.state === 'loading')
    return (
      <div class="empty">
        <p class="empty-title">Reading its life…</p>
      </div>
    )
  if (known.state === 'failed')
    return isForOthers(known.refusal) ? (
      <ForOthers what="Its life is for those who run this" refusal={known.refusal} />
    ) : (
      <div class="empty" role="alert">
        <p class="empty-title">{known.refusal.title}</p>
        <p>{known.refusal.detail}</p>
      </div>
    )
  const told = chapters(known.life)
  return (
    <>
      {known.refusal !== null && (
        <p class="trouble" data-tone="bad" role="alert">
          <strong>What is shown may be old.</strong> {words(known.refusal)}
        </p>
      )}
      {told.length === 0 ? (
        <div class="empty">
          <p class="empty-title">Nothing is written down of it</p>
          <p>What is changed over the API from now on is told here, with who changed it.</p>
        </div>
      ) : (
        <ol class="chapters" data-test="life">
          {told.map((chapter) => (
            <LifeChapter key={chapter.key} chapter={chapter} order={known.id} />
          ))}
        </ol>
      )}
    </>
  )
}
