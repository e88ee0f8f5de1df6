import type { Feed } from '../feed.ts'
import type { Shortcut } from '../shortcuts.ts'
import { pane } from '../store.ts'
import { Activity } from './activity.tsx'
import { Dialogs } from './dialogs.tsx'
import { Header } from './header.tsx'
import { Notices } from './notices.tsx'
import { Orders } from './orders.tsx'
import { Panes } from './panes.tsx'
import { Troubles } from './troubles.tsx'
import { Way } from './way.tsx'

type Props = { feed: Feed; shortcuts: readonly Shortcut[] }

export function App({ feed, shortcuts }: Props) {
  return (
    <>
      <a class="skip" href="#orders">
        Skip to the orders
      </a>
      <Header />
      <main class="page">
        <Way feed={feed} />
        <Troubles />
        <Panes />
        <Desk />
      </main>
      <Dialogs shortcuts={shortcuts} />
      <Notices />
    </>
  )
}

function Desk() {
  return (
    <div class="desk" data-pane={pane.value}>
      <Orders />
      <Activity />
    </div>
  )
}
