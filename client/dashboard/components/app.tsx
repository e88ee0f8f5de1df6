import type { ReadonlySignal } from '@preact/signals'
import type { Feed } from '../feed.ts'
import { MailDialog } from '../mail/mail-dialog.tsx'
import { MailPage } from '../mail/mail-page.tsx'
import { route } from '../navigation.ts'
import { OrderPage } from '../order-page/order-page.tsx'
import { isSigningIn, session } from '../session.ts'
import type { Shortcut } from '../shortcuts.ts'
import { dialog, pane } from '../store.ts'
import { Activity } from './activity.tsx'
import { Dialogs } from './dialogs.tsx'
import { Gate } from './gate.tsx'
import { Header } from './header.tsx'
import { Notices } from './notices.tsx'
import { Orders } from './orders.tsx'
import { Panes } from './panes.tsx'
import { Troubles } from './troubles.tsx'
import { Way } from './way.tsx'

type Props = { feed: ReadonlySignal<Feed | null>; shortcuts: readonly Shortcut[] }

export function App({ feed, shortcuts }: Props) {
  const at = session.value
  if (at.state === 'shut' || isSigningIn.value) return <Gate />
  if (at.state === 'opening' || feed.value === null) return null
  return (
    <>
      <Skip />
      <Header />
      <Page feed={feed.value} />
      <Dialogs shortcuts={shortcuts} />
      <OpenMail />
      <Notices />
    </>
  )
}

const skips = {
  orders: { to: '#orders', text: 'Skip to the orders' },
  order: { to: '#content', text: 'Skip to the order' },
  mail: { to: '#content', text: 'Skip to the mails' },
} as const

function Skip() {
  const { to, text } = skips[route.value.page]
  return (
    <a class="skip" href={to}>
      {text}
    </a>
  )
}

function Page({ feed }: { feed: Feed }) {
  const at = route.value
  if (at.page === 'mail') return <MailPage />
  if (at.page === 'order') return <OrderPage key={at.id} id={at.id} />
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
