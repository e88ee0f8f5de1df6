import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/gate.css'
import './styles/way.css'
import './styles/orders.css'
import './styles/orders-table.css'
import './styles/orders-cards.css'
import './styles/flash.css'
import './styles/activity.css'
import './styles/dialog.css'
import './styles/pages.css'
import './styles/mail-board.css'
import './styles/mails.css'
import './styles/mails-cards.css'
import './styles/mail-dialog.css'
import './styles/letter.css'
import './styles/rules.css'
import './styles/order-page.css'
import './styles/life.css'
import './styles/phone.css'
import { computed, effect, signal, untracked } from '@preact/signals'
import { render } from 'preact'
import { clearLog, openDialog } from './actions.ts'
import { App } from './components/app.tsx'
import { focusSearch } from './components/orders-toolbar.tsx'
import { hasEnded } from './credential.ts'
import { type Feed, listen } from './feed.ts'
import { readCatalog } from './mail/catalog.ts'
import { focusMailSearch } from './mail/mail-search.tsx'
import { reconnectPokes, watchMails } from './mail/watch-mails.ts'
import { navigate, route, watchNavigation } from './navigation.ts'
import { watchLife } from './order-page/watch-life.ts'
import { mailsPath, titleOf } from './route.ts'
import { openSession, session } from './session.ts'
import { watchShortcuts } from './shortcuts.ts'
import { query } from './store.ts'
import { watchSystem } from './system.ts'
import { watchTheme } from './theme.ts'

const shortcuts = [
  { key: 'n', does: 'New order', run: () => openDialog({ kind: 'create' }) },
  { key: '/', does: 'Search', run: search },
  { key: 'o', does: 'Show the orders', run: () => navigate('/') },
  { key: 'm', does: 'Show the mails', run: () => navigate(mailsPath()) },
  { key: 'r', does: 'Reconnect', run: reconnect },
  { key: 'c', does: 'Clear the activity log', run: clearLog },
  { key: '?', does: 'Show this help', run: () => openDialog({ kind: 'help' }) },
]

/** There is one as soon as somebody is in. */
const feed = signal<Feed | null>(null)

watchTheme()
watchNavigation()
render(<App feed={feed} shortcuts={shortcuts} />, document.getElementById('app') as HTMLElement)
effect(() => {
  if (session.value.state === 'open') untracked(begin)
})
effect(() => {
  if (hasEnded.value) location.reload()
})
void openSession()

const searchOfOrders = computed(() => (route.value.page === 'orders' ? route.value.search : null))
effect(() => {
  const text = searchOfOrders.value
  if (text !== null) query.value = { ...query.peek(), text, status: null }
})
effect(() => {
  document.title = titleOf(route.value)
})

/** Once in the life of the page. */
function begin(): void {
  feed.value = listen(location.origin)
  watchMails()
  watchLife()
  watchSystem()
  watchShortcuts(shortcuts)
  const paneOfMail = computed(() => (route.value.page === 'mail' ? route.value.pane : null))
  // Rules seldom change: they are read when a pane is entered.
  effect(() => {
    if (paneOfMail.value !== null) void readCatalog()
  })
}

function reconnect(): void {
  feed.peek()?.reconnect()
  reconnectPokes()
}

function search(): void {
  const at = route.peek()
  if (at.page === 'orders') focusSearch()
  else if (at.page === 'order') navigate('/')
  else if (at.pane === 'mails') focusMailSearch()
}
