import type { Feed } from '../feed.ts'
import { MailDialog } from '../mail/mail-dialog.tsx'
import { MailPage } from '../mail/mail-page.tsx'
import { route } from '../navigation.ts'
import type { Shortcut } from '../shortcuts.ts'
import { dialog, pane } from '../store.ts'
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
      <Skip />
      <Header />
      <Page feed={feed} />
      <Dialogs shortcuts={shortcuts} />
      <OpenMail />
      <Notices />
    </>
  )
}

function Skip() {
  return route.value.page === 'mail' ? (
    <a class="skip" href="#content">
      Skip to the mails
    </a>
  ) : (
    <a class="skip" href="#orders">
      Skip to the orders
    </a>
  )
}

function Page({ feed }: { feed: Feed }) {
  if (route.value.page === 'mail') return <MailPage />
  return (
    <main class="page" tabIndex={-1}>
      <Way feed={feed} />
      <Troubles />
      <Panes />
      <Desk />
    </main>
  )
}

/** The address says which; a dialog that was opened over it goes first. */
function OpenMail() {
  const at = route.value
  if (at.page !== 'mail' || at.pane !== 'mails' || at.open === null) return null
  if (dialog.value.kind !== 'none') return null
  return <MailDialog key={at.open} id={at.open} query={at.query} />
}

function Desk() {
  return (
    <div class="desk" data-pane={pane.value}>
      <Orders />
      <Activity />
    </div>
  )
}
