import { useRef, useState } from 'preact/hooks'
import { isSigningIn, session, signIn } from '../session.ts'
import { Bell } from './bell.tsx'

/** Asks for a key or a token. Where anyone may look, one can go back to that. */
export function Gate() {
  const [phase, setPhase] = useState<'resting' | 'asking'>('resting')
  const [wrong, setWrong] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const at = session.value

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (phase === 'asking' || field.current === null) return
    setPhase('asking')
    const found = await signIn(field.current.value)
    setPhase('resting')
    setWrong(found ?? '')
    if (found === null) isSigningIn.value = false
    else field.current?.select()
  }

  return (
    <main class="gate">
      <form class="gate-panel" onSubmit={submit} noValidate>
        <p class="gate-brand">
          <Bell />
          <span class="wordmark">Belfry</span>
        </p>
        <h1 class="gate-title">Sign in</h1>
        {at.state === 'shut' && at.why !== null && (
          <p class="meanwhile" role="status" data-test="why">
            You were signed out. {at.why}
          </p>
        )}
        <div class="field" data-field="credential">
          <label for="credential">API key or token</label>
          {/* Without a name it is part of no form that a browser could send by itself. */}
          <input
            id="credential"
            ref={field}
            type="password"
            autocomplete="off"
            spellcheck={false}
            autofocus
            placeholder="belfry_…"
            aria-invalid={wrong !== ''}
            aria-describedby="about-credential"
          />
          <p class="field-note" id="about-credential" data-wrong={wrong === '' ? undefined : ''}>
            <span role="alert">{wrong}</span>
            {wrong === '' &&
              'Kept in this tab until you sign out or close it. Whoever runs this Belfry makes one.'}
          </p>
        </div>
        <div class="sheet-actions">
          {at.state === 'open' && (
            <button
              type="button"
              class="button"
              onClick={() => {
                isSigningIn.value = false
              }}
            >
              Go on without
            </button>
          )}
          <button type="submit" class="button primary" disabled={phase === 'asking'}>
            {phase === 'asking' ? 'Asking…' : 'Sign in'}
          </button>
        </div>
      </form>
    </main>
  )
}
