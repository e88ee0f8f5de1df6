import { dismiss } from '../actions.ts'
import { notices } from '../store.ts'
import { Icon } from './icon.tsx'

/** What came of something a person did: a few words that go by themselves. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, tone, text }) => (
        <p key={id} class="notice" data-tone={tone}>
          <span class="dot" />
          {text}
          <button
            type="button"
            class="button quiet square"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </p>
      ))}
    </div>
  )
}
