import type { DeliveryState } from '../../../protocol/delivery-states.ts'
import { meanings } from './states.ts'

export function MailPill({ state }: { state: DeliveryState }) {
  return (
    <span class="pill" data-mail={state} title={meanings[state]}>
      {state}
    </span>
  )
}
