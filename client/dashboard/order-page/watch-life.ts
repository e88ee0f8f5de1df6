import { computed, effect } from '@preact/signals'
import { rowKey } from '../../sdk/row-key.ts'
import { coalesced } from '../coalesced.ts'
import { followMails } from '../mail/follow-mails.ts'
import { route } from '../navigation.ts'
import { isForOthers } from '../refusal.ts'
import { requestAs } from '../request.ts'
import { rows } from '../store.ts'
import { life } from './life.ts'
import { lifeOf } from './life-store.ts'

/** A burst of changes of one order is read once in so many milliseconds. */
const REST_MS = 400
/** Who is told in their inbox is told by nobody here. */
const SWEEP_MS = 5_000

const reading = coalesced(read, REST_MS)
const openId = computed(() => (route.value.page === 'order' ? route.value.id : null))
const version = computed(() => {
  const id = openId.value
  return id === null ? null : rows.value.orders.get(rowKey({ id }))?.version
})

/** Keeps the life of the order that is looked at as the API tells it. */
export function watchLife(): void {
  effect(() => {
    const id = openId.value
    lifeOf.value = id === null ? null : { state: 'loading', id }
    if (id === null) reading.stop()
    else reading.restart()
  })
  effect(() => {
    if (version.value !== null) askAgain()
  })
  effect(() => (openId.value === null ? undefined : follow()))
  document.addEventListener('visibilitychange', askAgain)
}

/** @returns ends it */
function follow(): () => void {
  const mails = followMails({ onPoke: askAgain })
  const sweep = setInterval(askAgain, SWEEP_MS)
  return () => {
    clearInterval(sweep)
    mails.close()
  }
}

function askAgain(): void {
  const known = lifeOf.peek()
  if (document.hidden || known === null) return
  // Asking again would not open it.
  if (known.state === 'failed' && isForOthers(known.refusal)) return
  reading.ask()
}

async function read(signal: AbortSignal): Promise<void> {
  const id = openId.peek()
  if (id === null) return
  try {
    const outcome = await requestAs(life, 'GET', `/api/orders/${id}/life`, { signal })
    const before = lifeOf.peek()
    if (signal.aborted || before?.id !== id) return
    if (outcome.ok) lifeOf.value = { state: 'read', id, life: outcome.value, refusal: null }
    else if (before.state === 'read') lifeOf.value = { ...before, refusal: outcome.refusal }
    else lifeOf.value = { state: 'failed', id, refusal: outcome.refusal }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
