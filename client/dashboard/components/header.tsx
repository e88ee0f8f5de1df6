import { openDialog } from '../actions.ts'
import { connectionWord } from '../sentences.ts'
import { connection, freshness } from '../store.ts'
import { theme, toggleTheme } from '../theme.ts'
import { Bell } from './bell.tsx'
import { Icon } from './icon.tsx'

export function Header() {
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Belfry, the dashboard">
        <Bell />
        <span class="wordmark">Belfry</span>
      </a>
      <State />
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
        <button
          type="button"
          class="button primary"
          title="New order (N)"
          onClick={() => openDialog({ kind: 'create' })}
        >
          <Icon name="plus" />
          New order
        </button>
      </nav>
    </header>
  )
}

/** The only live region for the connection: it speaks when the word changes, not for each change. */
function State() {
  const { word, tone } = connectionWord(connection.value, freshness.value)
  return (
    <p class="state" role="status" aria-live="polite" data-tone={tone} data-test="connection">
      <span class="dot" />
      {word}
    </p>
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
