import { type MailState, meanings } from './states.ts'

export function MailPill({ state }: { state: MailState }) {
  return (
    <span class="pill" data-mail={state} title={meanings[state]}>
      {state}
    </span>
  )
}
