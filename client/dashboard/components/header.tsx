import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { openDialog } from '../actions.ts'
import { endSession } from '../credential.ts'
import { formatCount } from '../format.ts'
import { route } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { canaryTimes, deliveryWord } from '../sentences.ts'
import { isSigningIn, session } from '../session.ts'
import { connection, freshness, second, system } from '../store.ts'
import { theme, toggleTheme } from '../theme.ts'
import { Bell } from './bell.tsx'
import { Icon } from './icon.tsx'

/** Only in a local run, in which one may be anybody: no other build has this code. */
const userInbox = signal<ComponentType | null>(null)
if (import.meta.env.MODE === 'local-run')
  void import('../local-run/user-inbox.tsx').then(({ UserInbox }) => (userInbox.value = UserInbox))

export function Header() {
  const UserInbox = userInbox.value
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Belfry, the dashboard">
        <Bell />
        <span class="wordmark">Belfry</span>
      </a>
      <Pages />
      <State />
      <Canary />
      <nav class="top-actions" aria-label="Page">
        <a class="link" href="/docs">
          API
        </a>
        <button
          type="button"
          class="button quiet square"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={() => openDialog({ kind: 'help' })}
        >
          ?
        </button>
        <ThemeButton />
        {UserInbox && <UserInbox />}
        <SignInOrOut />
        {route.value.page === 'orders' && (
          <button
            type="button"
            class="button primary"
            title="New order (N)"
            onClick={() => openDialog({ kind: 'create' })}
          >
            <Icon name="plus" />
            New order
          </button>
        )}
      </nav>
    </header>
  )
}

function Pages() {
  const { page } = route.value
  const reading = system.value
  const stuck = reading.state === 'read' ? reading.status.mail.parked : 0
  return (
    <nav class="pages" aria-label="Belfry">
      <a href="/" aria-current={page === 'mail' ? undefined : page === 'orders' ? 'page' : 'true'}>
        Orders
      </a>
      <a href={mailsPath()} aria-current={page === 'mail' ? 'page' : undefined}>
        Mail
        {stuck > 0 && (
          <span class="badge" title="Parked, or of unknown outcome">
            {formatCount(stuck)}
            <span class="unseen"> to decide</span>
          </span>
        )}
      </a>
    </nav>
  )
}

/** The only live region for the connection: it speaks when the word changes, not for each change. */
function State() {
  const { word, tone } = deliveryWord(connection.value, freshness.value, system.value)
  return (
    <p class="state" role="status" aria-live="polite" data-tone={tone} data-test="connection">
      <span class="dot" />
      {word}
    </p>
  )
}

/** What the green stands on. */
function Canary() {
  const isLive = connection.value.state === 'live'
  const times = isLive ? canaryTimes(system.value, second.value) : null
  if (times === null) return null
  return (
    <p
      class="canary"
      data-test="canary"
      title="A change of Belfry’s own goes the way of any other every few seconds: how long the last one took, and when it came"
    >
      canary {times.took}
      <span class="canary-came">, {times.came}</span>
    </p>
  )
}

function SignInOrOut() {
  const at = session.value
  if (at.state !== 'open' || at.as === 'local') return null
  return at.as === 'pasted' ? (
    <button
      type="button"
      class="button quiet"
      title="Forget the key and all that was read with it"
      onClick={() => endSession(null)}
    >
      Sign out
    </button>
  ) : (
    <button
      type="button"
      class="button quiet"
      onClick={() => {
        isSigningIn.value = true
      }}
    >
      Sign in
    </button>
  )
}

function ThemeButton() {
  const other = theme.value === 'dark' ? 'light' : 'dark'
  return (
    <button
      type="button"
      class="button quiet square"
      aria-label={`Use the ${other} theme`}
      title={`Use the ${other} theme`}
      onClick={toggleTheme}
    >
      <Icon name={other === 'dark' ? 'moon' : 'sun'} />
    </button>
  )
}
