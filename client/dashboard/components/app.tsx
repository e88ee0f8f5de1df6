import type { Feed } from '../feed.ts'
import type { Shortcut } from '../shortcuts.ts'
import { Activity } from './activity.tsx'
import { Dialogs } from './dialogs.tsx'
import { Header } from './header.tsx'
import { Notices } from './notices.tsx'
import { Orders } from './orders.tsx'
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
        <div class="desk">
          <Orders />
          <Activity />
        </div>
      </main>
      <Dialogs shortcuts={shortcuts} />
      <Notices />
    </>
  )
}
