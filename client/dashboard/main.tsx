import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/way.css'
import './styles/orders.css'
import './styles/orders-table.css'
import './styles/orders-cards.css'
import './styles/flash.css'
import './styles/activity.css'
import './styles/dialog.css'
import './styles/phone.css'
import { render } from 'preact'
import { clearLog, openDialog } from './actions.ts'
import { App } from './components/app.tsx'
import { focusSearch } from './components/orders-toolbar.tsx'
import { listen } from './feed.ts'
import { watchShortcuts } from './shortcuts.ts'
import { watchSystem } from './system.ts'
import { watchTheme } from './theme.ts'

const feed = listen(location.origin)
const shortcuts = [
  { key: 'n', does: 'New order', run: () => openDialog({ kind: 'create' }) },
  { key: '/', does: 'Search the orders', run: focusSearch },
  { key: 'r', does: 'Reconnect', run: () => feed.reconnect() },
  { key: 'c', does: 'Clear the activity log', run: clearLog },
  { key: '?', does: 'Show this help', run: () => openDialog({ kind: 'help' }) },
]

watchTheme()
watchSystem()
watchShortcuts(shortcuts)
render(<App feed={feed} shortcuts={shortcuts} />, document.getElementById('app') as HTMLElement)
