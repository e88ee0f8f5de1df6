import type { Refusal } from '../refusal.ts'
import { isSigningIn, session } from '../session.ts'

/** Someone may not see this, which is no failure: what it needs, and how to come with it. */
export function ForOthers({ what, refusal }: { what: string; refusal: Refusal }) {
  const at = session.value
  return (
    <div class="empty" data-test="for-others">
      <p class="empty-title">{what}</p>
      <p>
        {refusal.code === 'unauthorized'
          ? 'Sign in with a key or a token that opens it.'
          : refusal.detail || `${refusal.title}.`}
      </p>
      {at.state === 'open' && at.as !== 'local' && (
        <button
          type="button"
          class="button"
          onClick={() => {
            isSigningIn.value = true
          }}
        >
          Sign in {at.as === 'pasted' && 'with another key'}
        </button>
      )}
    </div>
  )
}
